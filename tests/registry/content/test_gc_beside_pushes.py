"""Garbage collection while others push, mount and delete: what was acknowledged is never lost."""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.metadata import manifests
from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown, ManifestBlobUnknown, ManifestUnknown, NameUnknown, Unavailable
from registry.oci.names import RepositoryName, Tag
from registry.storage.disk.store import DiskStore
from tests.registry.ageing import age_file
from tests.registry.open_services import PUSHER, OpenServices, image, open_services

LAYERS = [bytes([number]) * 100 for number in range(6)]
NO_GRACE = {"grace_seconds": 0}


class Pusher:
    """A client that pushes images out of a few layers, mounts some, looks whether all is there, deletes again."""

    def __init__(self, services: OpenServices, repository: str, seed: int) -> None:
        self.services = services
        self.repository = RepositoryName(repository)
        self.random = random.Random(seed)  # noqa: S311
        self.acknowledged = 0

    async def work(self, rounds: int) -> None:
        """Push, check, delete, so many times."""
        for _ in range(rounds):
            layers = self.random.sample(LAYERS, 3)
            if not await self.push(layers):
                continue
            self.acknowledged += 1
            await asyncio.sleep(self.random.random() / 100)
            await self.check(layers)
            await self.services.manifests.delete(self.repository, Digest.of(image(layers)))

    async def push(self, layers: list[bytes]) -> bool:
        """Push an image; with no grace period, its parts may be collected before its manifest comes."""
        try:
            await asyncio.gather(*(self.bring(content) for content in (b"{}", *layers)))
            await self.services.push_manifest(image(layers), Tag("latest"), self.repository)
        except (ManifestBlobUnknown, Unavailable):
            return False
        return True

    async def bring(self, content: bytes) -> None:
        """Mount a blob from wherever it is, or upload it."""
        if self.random.random() < 0.5 or not await self.mount(content):
            await self.services.push_blob(content, self.repository)

    async def mount(self, content: bytes) -> bool:
        """Whether it could be mounted."""
        return await self.services.blobs.mount(PUSHER, self.repository, Digest.of(content), None, lambda _name: True)

    async def check(self, layers: list[bytes]) -> None:
        """Everything the acknowledged image consists of is there, byte for byte."""
        for content in (b"{}", *layers):
            blob = await self.services.blobs.pull(PUSHER, self.repository, Digest.of(content))
            assert b"".join([piece async for piece in self.services.blobs.read(blob, 0, blob.size)]) == content
        raw = await self.services.metadata.read(manifests.content, self.repository, Digest.of(image(layers)))
        assert raw == image(layers)


async def collect_until(services: OpenServices, done: asyncio.Event, pause: float) -> None:
    """Run one collection after the other, with pauses in seconds that leave some pushes a chance."""
    while not done.is_set():
        await services.collector.run()
        await asyncio.sleep(pause)


@pytest.mark.parametrize("seed", range(4))
def test_no_acknowledged_image_is_damaged(tmp_path: Path, seed: int) -> None:
    """Four pushers share layers while two processes collect without any grace period."""

    async def scenario(services: OpenServices, beside: OpenServices) -> int:
        pushers = [Pusher(services, f"team/app{number}", seed * 10 + number) for number in range(4)]
        done = asyncio.Event()
        collectors = [asyncio.create_task(collect_until(each, done, 0.03)) for each in (services, beside)]
        await asyncio.gather(*(pusher.work(15) for pusher in pushers))
        done.set()
        await asyncio.gather(*collectors)
        return sum(pusher.acknowledged for pusher in pushers)

    with open_services(tmp_path, gc=NO_GRACE) as services, open_services(tmp_path, gc=NO_GRACE) as beside:
        assert services.run(scenario(services, beside)) > 0


@pytest.mark.parametrize(("call", "after"), [("stat", False), ("stat", True), ("rename", False), ("rename", True)])
def test_a_removal_never_hits_a_fresh_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, after: bool
) -> None:
    """An old blob is pushed again right before or after each step of its removal: it is there afterwards."""
    digest = Digest.of(b"content")
    with ThreadPoolExecutor(2) as pool:
        store = DiskStore(tmp_path, pool)
        blob = asyncio.run(store.put(digest, b"content"))
        assert blob.path is not None
        age_file(blob.path)
        with monkeypatch.context() as patch:
            once(patch, call, lambda: asyncio.run(store.put(digest, b"content")), after=after)
            store.delete(digest, blob.modified - 60)
        assert asyncio.run(store.get(digest, 100)) == b"content"


def once(patch: pytest.MonkeyPatch, call: str, other: Callable[[], object], *, after: bool) -> None:
    """Let something else happen right before or after the next call of a method of Path."""
    real = getattr(Path, call)

    def interleaved(self: Path, *args: object) -> object:
        patch.setattr(Path, call, real)
        if after:
            result = real(self, *args)
            other()
            return result
        other()
        return real(self, *args)

    patch.setattr(Path, call, interleaved)


def test_a_push_that_lost_its_bytes_is_not_acknowledged(tmp_path: Path) -> None:
    """Collected between the bytes and the row, an upload fails instead of leaving a row without bytes."""
    content = b"too large for the journal" * 4000
    with open_services(tmp_path) as services:
        write = services.metadata.write

        async def collect_first(*args: object, **kwargs: object) -> object:
            services.storage.delete(Digest.of(content))
            return await write(*args, **kwargs)  # type: ignore[arg-type]

        services.metadata.write = collect_first  # type: ignore[method-assign,assignment]
        with pytest.raises(Unavailable, match="push it again"):
            services.run(services.push_blob(content))
        with pytest.raises((BlobUnknown, NameUnknown, ManifestUnknown)):
            services.run(services.blobs.pull(PUSHER, RepositoryName("team/app"), Digest.of(content)))
