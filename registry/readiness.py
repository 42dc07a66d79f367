"""Whether content can be read and written right now."""

import os
from pathlib import Path

from registry.metadata import repositories
from registry.metadata.store import MetadataStore


class Readiness:
    """Asks the parts that a request would need."""

    def __init__(self, data: Path, metadata: MetadataStore) -> None:
        self._data = data
        self._metadata = metadata

    async def problems(self) -> list[str]:
        """One sentence for each thing that is wrong; empty when all is well."""
        found = []
        if not os.access(self._data, os.W_OK | os.X_OK):
            found.append("the data folder cannot be written")
        try:
            await self._metadata.read(repositories.page, "", 1)
        except Exception as error:  # noqa: BLE001  whatever the database raises is the answer here
            found.append(f"the metadata cannot be read: {type(error).__name__}")
        return found
