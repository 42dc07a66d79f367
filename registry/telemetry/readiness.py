"""Whether content can be read and written right now, and is what it should be."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from registry.metadata import repositories
from registry.metadata.store import MetadataStore


class Readiness:
    """Asks the parts that a request would need.

    Attributes:
        others: more parts; each gives one sentence for each thing that is wrong.
    """

    def __init__(self, data: Path, metadata: MetadataStore) -> None:
        self._data = data
        self._metadata = metadata
        self.others: list[Callable[[], Iterable[str]]] = []

    async def problems(self) -> list[str]:
        """One sentence for each thing that is wrong; empty when all is well."""
        found = []
        if not os.access(self._data, os.W_OK | os.X_OK):
            found.append("the data folder cannot be written")
        try:
            await self._metadata.read(repositories.page, "", 1)
        except Exception as error:  # noqa: BLE001  whatever the database raises is the answer here
            found.append(f"the metadata cannot be read: {type(error).__name__}")
        for other in self.others:
            found += other()
        return found
