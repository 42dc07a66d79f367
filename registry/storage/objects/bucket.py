"""A bucket below its prefix: the requests that are made of a store, each counted, and what their failures mean."""

import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING

import obstore
import structlog
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from registry.oci.errors import Unavailable

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import AzureStore, GCSStore, S3Store

    Connected = AzureStore | GCSStore | S3Store

PIECE = 1 << 20
_LISTED = 1000
_PARTS_AT_ONCE = 2
_MD5 = re.compile("[0-9a-f]{32}")
_QUERY = re.compile(r"\?\S+")


@dataclass(frozen=True, slots=True)
class Listed:
    """An object: its name, its size in bytes, and when it was stored, in seconds since the epoch."""

    key: str
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class Small:
    """A small object: its bytes, and the ETag that came with them, without quotes."""

    content: bytes
    etag: str

    @property
    def is_what_is_stored(self) -> bool:
        """Whether these bytes may be those of the object: not where its ETag is another MD5 (S3, of a whole PUT)."""
        md5 = hashlib.md5(self.content, usedforsecurity=False).hexdigest()
        return _MD5.fullmatch(self.etag) is None or self.etag == md5


class Bucket:
    """What is asked of a store. Names are below the prefix; what has no `async` blocks.

    Attributes:
        part_bytes: a larger file goes up in parts of so many bytes.

    Args:
        store: connected.
        outside: the same as clients reach it.

    Raises, all of its methods:
        FileNotFoundError: there is no such object.
        Unavailable: the store is away, too slow, refuses, or cuts its answer short.
    """

    def __init__(self, store: "Connected", part_bytes: int, outside: "Connected | None" = None) -> None:
        self._store = store
        self._outside = outside or store
        self.part_bytes = part_bytes

    def put(self, key: str, content: bytes) -> None:
        """Store an object whole: the store has acknowledged it when this returns."""
        with refusals(), _bucket_there():
            obstore.put(self._store, key, content, use_multipart=False)

    async def put_soon(self, key: str, content: bytes) -> None:
        """`put` without blocking."""
        with refusals(), _bucket_there():
            await obstore.put_async(self._store, key, content, use_multipart=False)

    def put_file(self, key: str, path: Path, size: int) -> None:
        """Store a file; it is visible when all of it is there."""
        if size <= self.part_bytes:
            return self.put(key, path.read_bytes())
        with refusals(), _bucket_there():
            obstore.put(
                self._store,
                key,
                path,
                use_multipart=True,
                chunk_size=self.part_bytes,
                max_concurrency=_PARTS_AT_ONCE,
            )
        return None

    def head(self, key: str) -> Listed:
        """What the store says of an object."""
        with refusals():
            return _listed(obstore.head(self._store, key))

    def get(self, key: str) -> bytes:
        """A small object."""
        with refusals():
            return bytes(obstore.get(self._store, key).bytes())

    async def get_soon(self, key: str) -> Small:
        """`get` without blocking."""
        with refusals():
            answer = await obstore.get_async(self._store, key)
            return Small(bytes(await answer.bytes_async()), (answer.meta["e_tag"] or "").strip('"'))

    def download(self, key: str, file: IO[bytes]) -> None:
        """Write an object's bytes to a file."""
        for piece in self.pieces(key):
            file.write(piece)

    def pieces(self, key: str) -> Iterator[bytes]:
        """An object's bytes, a few MiB at a time at most."""
        with refusals():
            for piece in obstore.get(self._store, key).stream(min_chunk_size=PIECE):
                yield bytes(piece)

    async def read(self, key: str, size: int, start: int, length: int) -> AsyncIterator[bytes]:
        """The bytes `[start, start + length)` of an object of `size` bytes, in pieces of at most 1 MiB."""
        with refusals():
            whole = start == 0 and length == size
            options: obstore.GetOptions = {} if whole else {"range": (start, start + length)}
            answer = await obstore.get_async(self._store, key, options=options)
            if answer.meta["size"] != size or (not whole and answer.range != (start, start + length)):
                raise lied(f"{answer.meta['size']} bytes, {answer.range}")
            left = length
            async for piece in answer.stream(min_chunk_size=PIECE):
                left -= len(piece)
                if left < 0:
                    raise lied("more bytes than were asked for")
                view = memoryview(piece)
                for at in range(0, len(view), PIECE):
                    yield bytes(view[at : at + PIECE])
            if left:
                raise lied(f"{left} bytes fewer than were asked for")

    def listed(self, prefix: str, after: str = "") -> Iterator[Listed]:
        """The objects below a prefix, whose names are greater than `after`, in the order of their names."""
        with refusals():
            for batch in obstore.list(self._store, prefix, offset=after or None, chunk_size=_LISTED):
                yield from map(_listed, batch)

    async def listed_soon(self, prefix: str) -> AsyncIterator[Listed]:
        """`listed` without blocking."""
        with refusals():
            async for batch in obstore.list(self._store, prefix, chunk_size=_LISTED):
                for each in batch:
                    yield _listed(each)

    def delete(self, keys: list[str]) -> None:
        """Remove objects; those that are not there are removed too."""
        with refusals():
            for key in keys:  # one by one: not every store has a request for many
                obstore.delete(self._store, key)

    async def sign(self, key: str, seconds: float) -> str:
        """A URL that reads an object for so long, without any other credential."""
        with refusals():
            return await obstore.sign_async(self._outside, "GET", key, timedelta(seconds=seconds))


def _listed(meta: "ObjectMeta") -> Listed:
    return Listed(meta["path"], meta["size"], meta["last_modified"].timestamp())


@contextmanager
def refusals() -> Iterator[None]:
    """Raise Unavailable in the place of what obstore raises; what the store said stays in the log."""
    try:
        yield
    except BaseError as error:
        kind = "refuses the key" if isinstance(error, PermissionDeniedError | UnauthenticatedError) else "cannot serve"
        structlog.get_logger(__name__).error("the object store failed", kind=kind, reason=first_line(error))
        raise unavailable(f"the object store {kind} now") from error


@contextmanager
def _bucket_there() -> Iterator[None]:
    """Where something is stored, only the bucket can be missing."""
    try:
        yield
    except FileNotFoundError as error:
        structlog.get_logger(__name__).error("the object store failed", kind="no bucket", reason=first_line(error))
        raise unavailable("the object store has no such bucket or upload now") from error


def unavailable(what: str) -> Unavailable:
    """503 that says when to come again."""
    return Unavailable(f"{what}: try again", headers={"Retry-After": "5"})


def first_line(error: BaseException) -> str:
    """What a store said, without its cause, and without queries of URLs: they may hold signatures."""
    return _QUERY.sub("?…", str(error).partition("\n\nDebug source")[0].replace("\n", " "))[:500]


def lied(what: str) -> Unavailable:
    """503 for an answer that cannot be right."""
    structlog.get_logger(__name__).error("the object store sent something else than it was asked for", found=what)
    return unavailable("the object store sent something else than it was asked for")
