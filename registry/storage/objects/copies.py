"""Copies of rows as objects: `copies/<store>/<milliseconds>-<event>-<chance>.zip`, each stored once."""

import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from registry.storage.copies import KeptCopy
from registry.storage.objects.bucket import Bucket, Listed

_ROOT = "copies"
_FORM = re.compile(rf"{_ROOT}/(?P<store>[0-9a-f-]{{36}})/(?P<made>\d{{15}})-(?P<event>\d+)-[0-9a-f]{{16}}\.zip")


class ObjectCopies:
    """See `registry.storage.copies.RowCopies`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def put(self, store: str, event: int, made: float, file: Path) -> KeptCopy:
        """One request, or one for each part."""
        name = f"{_ROOT}/{store}/{made * 1000:015.0f}-{event}-{secrets.token_hex(8)}.zip"
        size = file.stat().st_size
        self._bucket.put_file(name, file, size)
        return KeptCopy(store, event, made, name, size)

    def kept(self) -> list[KeptCopy]:
        """A listing; what has another name is not ours."""
        found = (_parsed(listed) for listed in self._bucket.listed(_ROOT))
        return sorted((copy for copy in found if copy is not None), key=lambda copy: copy.made)

    def get(self, copy: KeptCopy, file: IO[bytes]) -> None:
        """One request."""
        self._bucket.download(copy.name, file)

    def remove(self, copies: Sequence[KeptCopy]) -> None:
        """One request for each."""
        self._bucket.delete([copy.name for copy in copies])


def _parsed(listed: Listed) -> KeptCopy | None:
    found = _FORM.fullmatch(listed.key)
    if found is None:
        return None
    return KeptCopy(found["store"], int(found["event"]), int(found["made"]) / 1000, listed.key, listed.size)
