"""One upload's bytes in memory until they have a digest."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from registry.oci.digest import Digest, require_digest
from registry.oci.errors import BlobUploadUnknown
from registry.storage.blob_store import Opening, StoredBlob
from registry.storage.memory.contents import Contents


@dataclass(slots=True)
class Upload:
    """One upload, whoever has it staged.

    Attributes:
        opening: what it was opened with.
        last_byte: seconds since the epoch; 0: none has come yet.
        kept: whether a later process may go on with it.
        ending: bytes before those that end it, and the digest that all have then.
        committed: the blob that became of it.
        over: whether it takes no more bytes.
    """

    opening: Opening
    raw: bytearray = field(default_factory=bytearray)
    last_byte: float = 0.0
    kept: bool = False
    ending: tuple[int, Digest] | None = None
    committed: Digest | None = None
    over: bool = False


class MemoryStaging:
    """See `registry.storage.blob_store.Staging`."""

    path: Path | None = None

    def __init__(self, contents: Contents, uploads: dict[str, Upload], name: str, upload: Upload) -> None:
        self._contents = contents
        self._uploads = uploads
        self._name = name
        self._upload = upload
        self._last: Digest | None = None

    @property
    def opening(self) -> Opening:
        """What it was opened with."""
        return self._upload.opening

    @property
    def size(self) -> int:
        """Bytes held so far."""
        return len(self._upload.raw)

    @property
    def committed(self) -> Digest | None:
        """The blob that an earlier process made of it."""
        return self._upload.committed

    def read_at(self, start: int, length: int) -> bytes:
        """Some of the bytes."""
        return bytes(self._upload.raw[start : start + length])

    def last(self, digest: Digest | None) -> None:
        """What is written from now on ends the upload, or does not; noted with the next bytes."""
        self._last = digest

    def write(self, data: bytes | memoryview) -> None:
        """Append."""
        with self._contents.lock:
            self._require_open()
            upload = self._upload
            if self._last is None:
                upload.ending = None
            elif upload.ending is None or upload.ending[1] != self._last:
                upload.ending = self.size if upload.ending is None else upload.ending[0], self._last
            upload.raw += data
            upload.last_byte = time.time()

    async def append(self, pieces: Sequence[bytes]) -> None:
        """Append all of them."""
        for piece in pieces:
            self.write(piece)

    async def keep(self) -> None:
        """Let it be staged again by its id."""
        self._require_open()
        self._upload.kept = True
        self._upload.last_byte = self._upload.last_byte or time.time()

    async def truncate(self, size: int) -> None:
        """Forget the bytes behind `size`."""
        if size < self.size:
            self._require_open()
            del self._upload.raw[size:]

    async def commit(self, digest: Digest) -> StoredBlob:
        """Check the digest, then store the bytes; either way the upload is over."""
        with self._contents.lock:
            self._require_open()
            raw = bytes(self._upload.raw)
            self._upload.over = True
            try:
                require_digest(digest, Digest.of(raw, digest.algorithm))
            except BaseException:
                self._forget()
                raise
            blob = self._contents.add(digest, raw)
            self._upload.committed = digest
            if not self._upload.kept:
                self._forget()
            return blob

    async def forget(self) -> None:
        """Nobody stages it again."""
        self._forget()

    async def abort(self) -> None:
        """The upload is over and its bytes are gone."""
        self._upload.over = True
        self._forget()

    def release(self) -> None:
        """Nothing is open."""

    def _require_open(self) -> None:
        if self._upload.over:
            raise BlobUploadUnknown

    def _forget(self) -> None:
        with self._contents.lock:
            if self._uploads.get(self._name) is self._upload:
                del self._uploads[self._name]
