"""The blob stores that have to keep the promises of `registry.storage.blob_store`, and what their tests share."""

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from registry.oci.digest import Digest
from registry.storage.blob_store import BlobStore, Opening, Staging
from registry.storage.disk.layout import Layout
from registry.storage.disk.store import DiskStore
from registry.storage.memory.store import MemoryStore
from tests.registry.storage.object_servers import make_store, moto, spoil_object

CONTENT = bytes(range(256)) * 5000


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of store.

    Attributes:
        name: shown with a test.
        make: an empty one over a folder, for its own use.
        spoil: puts other bytes under a digest, behind its back.
    """

    name: str
    make: Callable[[Path, ThreadPoolExecutor], BlobStore]
    spoil: Callable[[Any, Path, Digest, bytes], object]


def _spoil_file(_store: BlobStore, folder: Path, digest: Digest, content: bytes) -> None:
    path = Layout(folder).blob(digest)
    path.unlink()
    path.write_bytes(content)


def spoil_memory(store: MemoryStore, _folder: Path, digest: Digest, content: bytes) -> None:
    """Put other bytes under a digest."""
    store.contents.add(digest, content)


KINDS = (
    Kind("disk", DiskStore, _spoil_file),
    Kind("memory", lambda _folder, _pool: MemoryStore(), spoil_memory),
    Kind("s3", partial(make_store, moto), spoil_object),
)


def opening(algorithm: str = "sha256") -> Opening:
    """What an upload is opened with."""
    return Opening("team/app", algorithm, "someone", time.time())


async def staged(store: BlobStore, *contents: bytes, algorithm: str = "sha256") -> Staging:
    """A new upload that holds some bytes."""
    staging = await store.stage(str(uuid.uuid4()), opening(algorithm))
    for content in contents:
        await staging.append([content])
    return staging


async def whole(store: BlobStore, digest: Digest, start: int = 0, length: int = 1 << 40) -> bytes:
    """Bytes of a blob through `read`."""
    blob = await store.stat(digest)
    assert blob is not None
    return b"".join([piece async for piece in store.read(blob, start, length)])


async def kept(store: BlobStore, *contents: bytes) -> tuple[str, Staging]:
    """The id of a new upload that a later process can go on with, and its staging."""
    upload = str(uuid.uuid4())
    staging = await store.stage(upload, opening())
    for content in contents:
        await staging.append([content])
    await staging.keep()
    return upload, staging
