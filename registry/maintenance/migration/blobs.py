"""Blobs from one store to another: those that rows name, each hashed on its way; what is there is not sent again."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select, union_all

from registry.metadata.tables import manifests, repository_blobs
from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown, DigestInvalid, Unavailable
from registry.storage.blob_store import MaintainedStore, Opening, StoredBlob

_SMALL = 1 << 20
"""Bytes of a blob that is held in memory; a larger one is written to the data folder on its way, as a push is."""

Tell = Callable[[int, int], None]
"""Told of the bytes that are at the target, and of how many there will be."""


def named_blobs(connection: Connection) -> dict[Digest, int]:
    """Every blob that rows name, with its size in bytes: those of repositories, and manifests without bytes."""
    named = union_all(
        select(repository_blobs.c.digest, repository_blobs.c.size),
        select(manifests.c.digest, manifests.c.size).where(manifests.c.content.is_(None)),
    ).subquery()
    rows = connection.execute(select(named.c.digest, func.max(named.c.size)).group_by(named.c.digest))
    return {Digest(digest): size for digest, size in rows}


@dataclass(slots=True)
class CopiedBlobs:
    """What became of the blobs.

    Attributes:
        copied: how many were sent.
        bytes: theirs.
        there: how many were there before.
        missing: what rows name and the source has not.
        damaged: what has another digest at the source; it stays there as it is.
        unnamed: what the source has and no row names; it is left behind.
        in_trash: how many in the trash were sent.
    """

    copied: int = 0
    bytes: int = 0
    there: int = 0
    missing: list[Digest] = field(default_factory=list)
    damaged: list[Digest] = field(default_factory=list)
    unnamed: list[Digest] = field(default_factory=list)
    in_trash: int = 0

    @property
    def lost(self) -> set[Digest]:
        """What the target does not get, although rows name it."""
        return {*self.missing, *self.damaged}


class BlobCopying:
    """Copies between two stores, as often as it is asked to.

    Args:
        source: where blobs are.
        target: where they go.
        at_once: how many are on their way at a time.
        tell: told how far it has come.
    """

    def __init__(self, source: MaintainedStore, target: MaintainedStore, at_once: int, tell: Tell) -> None:
        self._source = source
        self._target = target
        self._at_once = at_once
        self._tell = tell
        self._done, self._total = 0, 0

    async def copy(self, wanted: Mapping[Digest, int]) -> CopiedBlobs:
        """Have every wanted blob at the target, but for those that the source has lost.

        Raises:
            Unavailable: a store is away, or full.
        """
        result = CopiedBlobs(unnamed=[digest for digest in self._source.digests("") if digest not in wanted])
        there = await self._there()
        todo = [digest for digest, size in wanted.items() if there.get(digest) != size]
        result.there = len(wanted) - len(todo)
        self._total = sum(wanted.values())
        self._done = self._total - sum(wanted[digest] for digest in todo)
        self._tell(self._done, self._total)
        rest = iter(todo)
        await asyncio.gather(*(self._work(rest, wanted, result) for _ in range(self._at_once)))
        return result

    async def absent(self, wanted: Iterable[Digest]) -> set[Digest]:
        """Those that the target does not list."""
        return {*wanted} - (await self._there()).keys()

    def note_lost(self, blobs: CopiedBlobs) -> None:
        """Have the target know what it should have and has not: it is withheld, and a push heals it."""
        for digest in sorted(blobs.lost):
            self._target.quarantine.note_missing(digest)

    async def copy_trash(self, result: CopiedBlobs) -> None:
        """What can be brought back at the source can be at the target; it is as young there as a blob just removed."""
        there = {*self._target.trash.kept()}
        for digest in self._source.trash.kept():
            if digest in there or self._target.holds(digest):
                continue
            try:
                pieces = self._source.trash.read(digest)
                await self._store(digest, _with_pauses(pieces))
            except (DigestInvalid, FileNotFoundError):
                continue  # it could not be brought back at the source either
            self._target.delete(digest, keep=True)
            result.in_trash += 1

    async def _there(self) -> dict[Digest, int]:
        return {blob.digest: blob.size async for blob in self._target.blobs()}

    async def _work(self, rest: Iterator[Digest], wanted: Mapping[Digest, int], result: CopiedBlobs) -> None:
        for digest in rest:
            found = await self._source.stat(digest)
            if found is None:
                result.missing.append(digest)
                continue
            try:
                await self._one(found)
            except (DigestInvalid, BlobUnknown):
                result.damaged.append(digest)
                continue
            result.copied += 1
            result.bytes += found.size
            self._done += wanted[digest]
            self._tell(self._done, self._total)

    async def _one(self, blob: StoredBlob) -> None:
        pieces = self._source.read(blob, 0, blob.size)
        try:
            if blob.size > _SMALL:
                await self._store(blob.digest, pieces)
                return
            content = b"".join([piece async for piece in pieces])
        except Unavailable:
            # A store that is asked for a whole blob refuses to send the end of a damaged one.
            if self._source.scrub(blob.digest, lambda _bytes: None)[1]:
                raise
            raise DigestInvalid from None
        if Digest.of(content, blob.digest.algorithm) != blob.digest:
            raise DigestInvalid
        await self._target.put(blob.digest, content)

    async def _store(self, digest: Digest, pieces: AsyncIterator[bytes]) -> None:
        """Have it hashed and stored as an upload is. Raises DigestInvalid."""
        staging = await self._target.stage(str(uuid.uuid4()), Opening("", digest.algorithm, "", time.time()))
        try:
            async for piece in pieces:
                await staging.append([piece])
            await staging.commit(digest)
        except BaseException:
            await staging.abort()
            raise


async def _with_pauses(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        await asyncio.sleep(0)
