"""Pieces of uploads as objects: `uploads/<id>/<start>-<chance>`, each stored once."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor

from registry.storage.objects.bucket import Bucket, lied

_ROOT = "uploads"
_DIGITS = 16


class ObjectPieces:
    """See `registry.storage.pieces.Pieces`.

    Attributes:
        piece_bytes: the largest piece.
    """

    def __init__(self, bucket: Bucket, pool: Executor, piece_bytes: int) -> None:
        self._bucket = bucket
        self._pool = pool
        self.piece_bytes = piece_bytes

    async def put(self, upload: str, start: int, content: bytes) -> str:
        """One request."""
        name = f"{start:0{_DIGITS}x}-{secrets.token_hex(8)}"
        await self._bucket.put_soon(_key(upload, name), content)
        return name

    async def get(self, upload: str, name: str) -> bytes | None:
        """One request; what contradicts the store's own ETag is refused."""
        try:
            found = await self._bucket.get_soon(_key(upload, name))
        except FileNotFoundError:
            return None
        if not found.is_what_is_stored:
            raise lied(f"{len(found.content)} bytes with another MD5 than its ETag")
        return found.content

    async def remove(self, upload: str, names: Sequence[str]) -> None:
        """One request for each."""
        keys = [_key(upload, name) for name in names]
        await asyncio.get_running_loop().run_in_executor(self._pool, self._bucket.delete, keys)

    async def kept(self, upload: str = "") -> AsyncIterator[tuple[str, str, float]]:
        """A listing; what has another name is not ours."""
        async for listed in self._bucket.listed_soon(f"{_ROOT}/{upload}".rstrip("/")):
            parts = listed.key.split("/")
            if len(parts) == 3:
                yield parts[1], parts[2], listed.modified


def _key(upload: str, name: str) -> str:
    return f"{_ROOT}/{upload}/{name}"
