"""Blobs as objects, laid out as `registry.storage.objects.locations` says; uploads are files of the data folder, and in
pieces of the store as well where several nodes share them.

A blob becomes visible by one request that stores all of it, under a name that nothing else ever has; a 201 waits for
the store's acknowledgement, and for the rows, which ask the store once more whether the object is there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import TypeVar

from registry.caches import ContentCache
from registry.oci.digest import Digest, new_hasher
from registry.oci.errors import BlobUnknown, ContentTooLarge
from registry.storage.blob_store import Damaged, Opening, StoredBlob
from registry.storage.disk.blob_cache import BlobCache
from registry.storage.disk.errors import disk_refusals
from registry.storage.disk.fsync import early_writeback
from registry.storage.disk.layout import Layout
from registry.storage.disk.reading import read_while_same
from registry.storage.disk.reserve import DiskReserve
from registry.storage.disk.staging import DiskStaging, StagingContext, staged_in
from registry.storage.objects.blob import Finder, StoredObject
from registry.storage.objects.bucket import Bucket, lied
from registry.storage.objects.copies import ObjectCopies
from registry.storage.objects.locations import (
    ROOT,
    Found,
    KnownLocations,
    Location,
    folder_of,
    live,
    new_location,
    read_listing,
)
from registry.storage.objects.named_owner import NamedOwner
from registry.storage.objects.pieces import ObjectPieces
from registry.storage.objects.quarantine import ObjectQuarantine
from registry.storage.objects.reading import whole_or_nothing
from registry.storage.objects.trash import ObjectTrash

T = TypeVar("T")

_SMALL = 64 * 1024
_WHOLE = 64 << 20
_RECENT_BYTES = 16 << 20
_LINKED_SECONDS = 1800.0
"""How long ago the store may have named the object that a client is sent to: less than a replaced one stays."""
_BELIEVED_SECONDS = 60.0
"""How long it is believed without asking that a blob is where the store has said: rows keep it there."""


class ObjectStore:
    """See `registry.storage.blob_store.BlobStore` for the promises.

    Attributes:
        quarantine: damaged content.
        trash: what was collected and can be brought back.
        reserve: room for what frees room, on the disk of the data folder.
        pieces: of uploads that nodes share.
        copies: of rows.
        owner: whose blobs these are.
        cache: copies of blobs in the data folder.

    Args:
        root: the data folder, for uploads and notes.
        layout: of the data folder, prepared.
        bucket: the store.
        pool: where blocking work runs.
        sync_bytes: how much of an upload may wait for the disk before writing it back begins.
    """

    def __init__(
        self, root: Path, layout: Layout, bucket: Bucket, pool: Executor, *, sync_bytes: int = 8 << 20
    ) -> None:
        self._layout = layout
        self._bucket = bucket
        self._pool = pool
        self._known = KnownLocations()
        self.reserve = DiskReserve(root)
        self.cache = BlobCache(layout.cache, self.reserve)
        self._finder = Finder(bucket, self._known, layout.incoming, self.cache)
        self._recent = ContentCache(_RECENT_BYTES)
        self.quarantine = ObjectQuarantine(layout, self._finder)
        self.trash = ObjectTrash(self._finder)
        self.pieces = ObjectPieces(bucket, pool, bucket.part_bytes)
        self.copies = ObjectCopies(bucket)
        self.owner = NamedOwner(bucket)
        self._workshop = StagingContext(layout, pool, self._make_blob, early_writeback(), sync_bytes, self.reserve)

    async def stat(self, digest: Digest, size: int | None = None) -> StoredObject | None:
        """With a size, what is remembered is believed: reading looks at the bytes. Without, the store is asked."""
        if size is None:
            location = self._known.get(digest, _BELIEVED_SECONDS) or await self._find(digest)
            return None if location is None else StoredObject.found(location, self._finder)
        location = self._known.get(digest) or await self._find(digest)
        if location is not None and location.size != size:
            location = await self._find(digest)
        if location is None:
            return None
        if (location.size != size or size <= _SMALL) and not await self._is_sound(location):
            other = await self._find(digest)
            if other is None or other.version == location.version or not await self._is_sound(other):
                return None
            location = other
        return StoredObject.at_hand(location, self._finder) if location.size == size else None

    async def get(self, digest: Digest, maximum: int) -> bytes | None:
        """From memory when it was read or stored lately, and nobody has removed it here."""
        location = self._known.get(digest) or await self._find(digest)
        if location is None:
            return None
        if location.size > maximum:
            raise ContentTooLarge(f"the content has {location.size} bytes, at most {maximum} are read here")
        return self._recent.get(digest) or await self._whole(location)

    async def read(self, blob: StoredBlob, start: int, length: int) -> AsyncIterator[bytes]:
        """One request, or none for a part of what is copied here.

        Small content, and a whole blob, has its digest; else the last piece is not given.
        """
        location = self._known.get(blob.digest) or await self._find(blob.digest)
        if location is None:
            raise BlobUnknown
        length = min(length, location.size - start)
        if length <= 0:
            return
        known = self._recent.get(blob.digest) or (await self._whole(location) if location.size <= _SMALL else None)
        if known is not None:
            yield known[start : start + length]
            return
        copy = self.cache.find(blob.digest) if length < location.size else None
        if copy is not None:
            async for piece in read_while_same(*copy, start, length, self._pool):
                start, length = start + len(piece), length - len(piece)
                yield piece
        if length > 0:
            async for piece in self._stream(location, start, length):
                yield piece

    async def _stream(self, location: Location, start: int, length: int) -> AsyncIterator[bytes]:
        begun = False
        for attempt in (location, None):
            here = attempt or await self._find(location.digest)
            if here is None:
                break
            pieces = self._bucket.read(here.key, here.size, start, length)
            if length == here.size:
                copy = await self._run(partial(self.cache.begin, here.digest, here.size))
                pieces = whole_or_nothing(pieces, here, self._run, copy)
            try:
                async for piece in pieces:
                    begun = True
                    yield piece
            except FileNotFoundError:
                self._known.forget(location.digest)
                if begun:
                    raise
            else:
                return
        raise BlobUnknown

    async def link(self, blob: StoredBlob, seconds: float) -> str | None:
        """Signed here, without a request where the store has said lately where the blob is."""
        if not isinstance(blob, StoredObject):
            return None
        location = self._known.get(blob.digest, _LINKED_SECONDS) or await self._find(blob.digest)
        return None if location is None else await self._bucket.sign(location.key, seconds)

    async def put(self, digest: Digest, content: bytes) -> StoredObject:
        """One request; again when it is there: that makes its age start again."""
        location = new_location(digest, len(content))
        await self._bucket.put_soon(location.key, content)
        self._known.put(location)
        if len(content) <= _SMALL:
            self._recent.put(digest, content)
        return StoredObject.stored(location, self._finder)

    async def stage(self, upload: str, opening: Opening | None = None) -> DiskStaging:
        """A file of the data folder, until it is committed."""
        if opening is None:
            return await self._run(lambda: DiskStaging.resume(self._workshop, upload))
        return DiskStaging(self._workshop, upload, opening)

    def _make_blob(self, path: Path, digest: Digest, size: int, _modified: float) -> StoredBlob:
        location = new_location(digest, size)
        self._bucket.put_file(location.key, path, size)
        self._known.put(location)
        if size > _SMALL:
            self.cache.take(path, digest, size)
        else:
            path.unlink()
        return StoredObject.stored(location, self._finder)

    def delete(self, digest: Digest, older_than: float | None = None, *, keep: bool = False) -> bool:
        """Remove the objects that are there now; one that is stored meanwhile has another name."""
        locations = live(read_listing(self._bucket.listed(folder_of(digest))))
        if not locations or (older_than is not None and max(location.modified for location in locations) >= older_than):
            return False
        self._known.forget(digest)
        self.cache.forget(digest)
        if keep:
            self.trash.add(locations)
        else:
            self._bucket.delete([location.key for location in locations])
        return True

    async def blobs(self) -> AsyncIterator[StoredBlob]:
        """In the order of the store's listing, which has all objects of a digest side by side."""
        group: list[Found] = []
        async for listed in self._bucket.listed_soon(ROOT):
            for found in read_listing([listed]):
                if group and found.location.digest != group[0].location.digest:
                    for location in self._counting(group):
                        yield StoredObject.found(location, self._finder)
                    group = []
                group.append(found)
        for location in self._counting(group):
            yield StoredObject.found(location, self._finder)

    def _counting(self, group: list[Found]) -> list[Location]:
        """The one location of a digest that counts, if any."""
        location = self.quarantine.newest(group[0].location.digest, live(group)) if group else None
        return [] if location is None else [location]

    async def uploads(self) -> AsyncIterator[tuple[str, float]]:
        """Those of the data folder."""
        for found in await self._run(lambda: list(staged_in(self._layout))):
            yield found

    def holds(self, digest: Digest) -> bool:
        """Whether the store has an object for the blob, whatever is in it (blocking)."""
        return self.size_of(digest) is not None

    def size_of(self, digest: Digest) -> int | None:
        """Bytes of the blob's object, or `None` when there is none (blocking)."""
        location = self._look(digest)
        return None if location is None else location.size

    def digests(self, after: str) -> Iterator[Digest]:
        """In the order of the store's listing (blocking)."""
        start = f"{ROOT}/{after.replace(':', '/')}/z" if after else ""
        latest = ""
        for found in read_listing(self._bucket.listed(ROOT, start)):
            digest = found.location.digest
            if not found.trashed and digest > after and digest != latest:
                latest = digest
                yield digest

    def read_whole(self, digest: Digest) -> bytes | None:
        """Of the object that counts (blocking)."""
        location = self._look(digest)
        if location is None or location.size > _WHOLE:
            return None
        content = self._bucket.get(location.key)
        if Digest.of(content, digest.algorithm) == digest:
            return content
        self.quarantine.set_aside(digest, location.stamp, f"its {len(content)} bytes have another digest")
        return None

    def scrub(self, digest: Digest, pace: Callable[[int], None]) -> tuple[int, bool]:
        """Of the object that counts, and of its copy here.

        One that was set aside is looked at again, and counts again if it is sound.
        """
        locations = live(read_listing(self._bucket.listed(folder_of(digest))))
        if not locations:
            return 0, True
        self.cache.check(digest, pace)
        sound = self._hash(locations[-1], pace)
        if sound and locations[-1].version == self.quarantine.damaged_version(digest):
            self.quarantine.forget(Damaged(digest, is_manifest=False))
        return locations[-1].size, sound

    def _look(self, digest: Digest) -> Location | None:
        return self.quarantine.newest(digest, live(read_listing(self._bucket.listed(folder_of(digest)))))

    async def _find(self, digest: Digest) -> Location | None:
        listed = [each async for each in self._bucket.listed_soon(folder_of(digest))]
        location = self.quarantine.newest(digest, live(read_listing(listed)))
        if location is None:
            self._known.forget(digest)
            return None
        self._known.put(location)
        return location

    async def _is_sound(self, location: Location) -> bool:
        """Read all of it, unless that was done before; what has another digest is set aside."""
        if self._known.is_sound(location):
            return True
        if location.size <= _SMALL:
            return await self._whole(location) is not None
        return await self._run(lambda: self._hash(location))

    def _hash(self, location: Location, pace: Callable[[int], None] = lambda _bytes: None) -> bool:
        hasher = new_hasher(location.digest.algorithm)
        try:
            for piece in self._bucket.pieces(location.key):
                hasher.update(piece)
                pace(len(piece))
        except FileNotFoundError:
            self._known.forget(location.digest)
            return False
        if hasher.hexdigest() == location.digest.encoded:
            return True
        self.quarantine.set_aside(location.digest, location.stamp, f"its {location.size} bytes have another digest")
        return False

    async def _whole(self, location: Location) -> bytes | None:
        """All bytes of a small blob, `None` when they are damaged; Unavailable when the store contradicts itself."""
        try:
            found = await self._bucket.get_soon(location.key)
        except FileNotFoundError:
            self._known.forget(location.digest)
            return None
        content = found.content
        if Digest.of(content, location.digest.algorithm) == location.digest:
            self._known.sound(location)
            if len(content) <= _SMALL:
                self._recent.put(location.digest, content)
            return content
        if not found.is_what_is_stored:
            raise lied(f"{len(content)} bytes with another MD5 than its ETag")
        self.quarantine.set_aside(location.digest, location.stamp, f"its {len(content)} bytes have another digest")
        return None

    async def _run(self, work: Callable[[], T]) -> T:
        with disk_refusals():
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
