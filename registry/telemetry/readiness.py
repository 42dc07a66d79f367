"""Readiness: whether content can be read and written now, and is undamaged."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from registry.metadata import repositories
from registry.metadata.store import MetadataStore


class Readiness:
    """Checks the parts that a request needs.

    Attributes:
        others: further checks; each returns one sentence per problem.
    """

    def __init__(self, data: Path, metadata: MetadataStore) -> None:
        self._data = data
        self._metadata = metadata
        self.others: list[Callable[[], Iterable[str]]] = []

    async def problems(self) -> list[str]:
        """One sentence per problem; empty when ready."""
        sentences = []
        if not os.access(self._data, os.W_OK | os.X_OK):
            sentences.append("the data folder cannot be written")
        try:
            await self._metadata.read(repositories.page, "", 1)
        except Exception as error:  # noqa: BLE001  any error of the database is a problem
            sentences.append(f"the metadata cannot be read: {type(error).__name__}")
        for other in self.others:
            sentences += other()
        return sentences
