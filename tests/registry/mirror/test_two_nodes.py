"""One upstream behind two nodes that share rows and blobs: what both are asked for comes once."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.other_registries import OtherRegistry
from tests.postgres import PostgresServer
from tests.registry.mirror.site import NAME, Site, mirrored, upstream_settings
from tests.registry.storage.object_servers import moto
from tests.servers import LiveRegistry, open_registry


@pytest.fixture
def nodes(tmp_path: Path, upstream: OtherRegistry, postgres: PostgresServer) -> Iterator[tuple[Site, LiveRegistry]]:
    """The first with its upstream, and a second beside it."""
    shared = {"storage": moto().settings(tmp_path / "keys"), "metadata": postgres.settings()}
    with ExitStack() as opened:
        first = opened.enter_context(mirrored(tmp_path / "first", upstream, shared=shared))
        entry = upstream_settings(first.line.host)
        yield first, opened.enter_context(open_registry(tmp_path / "second", upstreams=[entry], **shared))


def test_a_blob_that_both_are_asked_for_comes_once(nodes: tuple[Site, LiveRegistry]) -> None:
    """Both serve it, and the upstream has given it once."""
    first, second = nodes
    layer = first.there.blob(os.urandom(1_000_000))
    first.there.image("both", layer)
    first.line.rate = 1_000_000  # it takes a second

    async def asked(url: str) -> bool:
        async with httpx.AsyncClient(base_url=f"{url}/v2/{NAME}", timeout=60) as client:
            await client.get("/manifests/both")
            return (await client.get(f"/blobs/{layer.digest}")).content == layer.raw

    async def both() -> list[bool]:
        return await asyncio.gather(*(asked(url) for url in (first.live.url, second.url) * 4))

    assert asyncio.run(both()) == [True] * 8
    assert first.fetched(layer.digest) == 1
