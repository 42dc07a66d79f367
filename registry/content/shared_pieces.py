"""Acknowledged bytes of uploads that nodes share: objects of the store, and few bytes in rows."""

import asyncio
import time
from collections.abc import Sequence

from registry.content.upload_session import UploadSession
from registry.metadata import shared_uploads as rows
from registry.metadata.shared_uploads import Piece
from registry.metadata.store import MetadataStore
from registry.oci.errors import BlobUploadUnknown, Unavailable
from registry.storage.disk.errors import disk_refusals
from registry.storage.pieces import Pieces

_SMALL = 64 * 1024
"""Bytes of a piece that is kept in its row."""
_AT_ONCE = 2
"""Pieces on their way to the store."""
_ORPHAN_SECONDS = 3600.0
"""Age of a piece that no upload has, before it is removed: one that is just being noted is younger."""
_RETRY = {"Retry-After": "5"}


class SharedPieces:
    """The pieces of all uploads.

    Args:
        pieces: where they are.
        metadata: the rows, which all nodes share.
    """

    def __init__(self, pieces: Pieces, metadata: MetadataStore) -> None:
        self._pieces = pieces
        self._metadata = metadata
        self._unneeded: list[tuple[str, Sequence[str]]] = []

    async def content(self, upload: str, piece: Piece) -> bytes:
        """The bytes of a piece.

        Raises:
            BlobUploadUnknown: they are lost.
            Unavailable: the store does not send them.
        """
        content = await self._pieces.get(upload, piece.name) if piece.name else piece.content
        if content is None:
            raise BlobUploadUnknown(lost_from(piece.start))
        if len(content) != piece.size:
            raise Unavailable(f"the store sent {len(content)} bytes of {piece.size}: try again", headers=_RETRY)
        return content

    async def stored(self, session: UploadSession, start: int) -> list[Piece]:
        """Have what a session holds from `start` on in the store; the pieces, in their order."""
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def stored(at: int) -> Piece:
            async with at_once:
                return await self._piece(session, at, min(self._pieces.piece_bytes, session.size - at))

        starts = range(start, session.size, self._pieces.piece_bytes)
        pieces: list[Piece] = []
        for done in await asyncio.gather(*map(stored, starts), return_exceptions=True):
            if isinstance(done, BaseException):
                raise done
            pieces.append(done)
        return pieces

    async def _piece(self, session: UploadSession, start: int, length: int) -> Piece:
        with disk_refusals():
            content = await asyncio.to_thread(session.staging.read_at, start, length)
        if length <= _SMALL:
            return Piece(start, length, "", content)
        return Piece(start, length, await self._pieces.put(session.id, start, content), b"")

    def let_go(self, upload: str, names: Sequence[str]) -> None:
        """Nobody needs these objects any more: the next `remove_unneeded` removes them."""
        self._unneeded += [(upload, names)] if names else []

    async def remove_unneeded(self) -> None:
        """Remove what was let go of."""
        while self._unneeded:
            upload, names = self._unneeded[0]
            await self._pieces.remove(upload, names)
            self._unneeded.pop(0)  # others have been added behind it

    async def remove_orphans(self) -> None:
        """Pieces of uploads that are over, or that were not noted any more."""
        old: dict[str, list[str]] = {}
        async for upload, name, stored in self._pieces.kept():
            if stored < time.time() - _ORPHAN_SECONDS:
                old.setdefault(upload, []).append(name)
        known = await self._metadata.read(rows.these, list(old))
        for upload, names in old.items():
            if upload not in known or known[upload].digest:
                await self._pieces.remove(upload, names)


def lost_from(start: int) -> str:
    """What a client is told of bytes that cannot be fetched."""
    return f"bytes of this upload are lost from byte {start} on: begin anew"
