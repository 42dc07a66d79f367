"""Blobs in memory, for as long as the store lasts.

"A later process" is whoever stages an upload again by its id alone.
"""

import time
from collections.abc import AsyncIterator

from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown, BlobUploadUnknown, ContentTooLarge
from registry.storage.blob_store import Opening, StoredBlob
from registry.storage.memory.contents import Content, Contents, MemoryBlob
from registry.storage.memory.quarantine import MemoryQuarantine, MemoryTrash, NoReserve
from registry.storage.memory.staging import MemoryStaging, Upload

_PIECE = 1 << 20


class MemoryStore:
    """See `registry.storage.blob_store.BlobStore` for the promises. All that it holds ends with it.

    Attributes:
        contents: the bytes themselves.
        quarantine: damaged content.
        trash: what was collected and can be brought back.
        reserve: always there.
    """

    def __init__(self) -> None:
        self.contents = Contents()
        self._uploads: dict[str, Upload] = {}
        self.quarantine = MemoryQuarantine(self.contents)
        self.trash = MemoryTrash(self.contents)
        self.reserve = NoReserve()

    async def stat(self, digest: Digest, size: int | None = None) -> MemoryBlob | None:
        """Hash it where a size is given: memory is quick."""
        found = self.contents.blobs.get(digest)
        if found is None or (size is not None and not (self._is_sound(digest, found) and len(found.raw) == size)):
            return None
        return MemoryBlob.of(digest, found, self.contents)

    async def get(self, digest: Digest, maximum: int) -> bytes | None:
        """The bytes themselves."""
        found = self.contents.blobs.get(digest)
        if found is None or not self._is_sound(digest, found):
            return None
        if len(found.raw) > maximum:
            raise ContentTooLarge(f"the content has {len(found.raw)} bytes, at most {maximum} are read here")
        return found.raw

    async def read(self, blob: StoredBlob, start: int, length: int) -> AsyncIterator[bytes]:
        """Piece by piece, of what has the name when reading begins."""
        found = self.contents.blobs.get(blob.digest)
        if found is None:
            raise BlobUnknown
        end = min(start + length, len(found.raw))
        for at in range(start, end, _PIECE):
            yield found.raw[at : min(at + _PIECE, end)]

    async def put(self, digest: Digest, content: bytes) -> StoredBlob:
        """Store it anew: that makes its age start again."""
        with self.contents.lock:
            return self.contents.add(digest, content)

    async def stage(self, upload: str, opening: Opening | None = None) -> MemoryStaging:
        """A new upload, or one that was kept; of that, what an unfinished last request has brought is taken back."""
        if opening is not None:
            found = self._uploads[upload] = Upload(opening)
            return MemoryStaging(self.contents, self._uploads, upload, found)
        with self.contents.lock:
            before = self._uploads.get(upload)
            if before is None or not before.kept:
                raise BlobUploadUnknown
            if before.committed is None and before.ending is not None:
                del before.raw[before.ending[0] :]
                before.ending = None
            return MemoryStaging(self.contents, self._uploads, upload, before)

    def delete(self, digest: Digest, older_than: float | None = None, *, keep: bool = False) -> bool:
        """Look at its age and remove it, with nothing in between."""
        with self.contents.lock:
            found = self.contents.blobs.get(digest)
            if found is None or (older_than is not None and found.modified >= older_than):
                return False
            del self.contents.blobs[digest]
            if keep:
                self.contents.trash[digest] = time.time(), found
            return True

    async def blobs(self) -> AsyncIterator[StoredBlob]:
        """All that are there when it begins."""
        for digest, found in list(self.contents.blobs.items()):
            yield MemoryBlob.of(digest, found, self.contents)

    async def uploads(self) -> AsyncIterator[tuple[str, float]]:
        """Those that have bytes, or are kept."""
        for upload, found in list(self._uploads.items()):
            if found.last_byte:
                yield upload, found.last_byte

    def _is_sound(self, digest: Digest, found: Content) -> bool:
        if Digest.of(found.raw, digest.algorithm) == digest:
            return True
        self.quarantine.set_aside(digest, found.stamp, f"its {len(found.raw)} bytes have another digest")
        return False
