"""A whole registry over stores without files: what is pushed is judged, handed out and withheld all the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.oci.digest import Digest
from registry.storage.blob_store import BlobStore
from registry.storage.memory.store import MemoryStore
from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway
from tests.registry.storage.object_servers import moto, spoil_object
from tests.registry.storage.stores import spoil_memory

NAME = "team/app"
CONTENT = bytes(range(256)) * 8000
"""Larger than what is stored at once."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server, its store, how that is spoiled, and the digests of the images in it."""

    gateway: LiveGateway
    store: BlobStore
    spoil: Callable[[Any, Path, Digest, bytes], object]
    good: str
    bad: str


@pytest.fixture(scope="module", params=["memory", "s3"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A registry over a store with a cleared and a refused image."""
    folder = tmp_path_factory.mktemp(request.param)
    blobs = MemoryStore() if request.param == "memory" else None
    groups: dict[str, Any] = {} if blobs else {"storage": moto().settings(folder)}
    with live_gateway(folder / "data", blobs=blobs, **groups) as live:
        good = live.push(folder / "good", f"{NAME}:good", cleared_image())
        bad = live.push(folder / "bad", f"{NAME}:bad", refused_image())
        store = live.registry.app.services.stores.storage
        yield Served(live, store, spoil_memory if blobs else spoil_object, good, bad)


def upload(client: httpx.Client, content: bytes) -> str:
    """Push a blob in two requests; its path."""
    digest = Digest.of(content)
    where = client.post(f"/v2/{NAME}/blobs/uploads/").headers["location"]
    half = len(content) // 2
    where = client.patch(where, content=content[:half]).raise_for_status().headers["location"]
    client.put(where, params={"digest": digest}, content=content[half:]).raise_for_status()
    return f"/v2/{NAME}/blobs/{digest}"


def test_nothing_is_written_to_files(served: Served) -> None:
    """The folders for blobs are not even there, or empty."""
    assert not list((served.gateway.registry.data / "blobs").glob("*/*"))


def test_a_cleared_image_is_pulled_whole(served: Served) -> None:
    """Manifest, configuration and layers have their digests."""
    with served.gateway.client("reader") as client:
        manifest = client.get(f"/v2/{NAME}/manifests/good").raise_for_status()
        assert Digest.of(manifest.content) == served.good
        for part in [manifest.json()["config"], *manifest.json()["layers"]]:
            content = client.get(f"/v2/{NAME}/blobs/{part['digest']}").raise_for_status().content
            assert Digest.of(content) == part["digest"]


def test_a_refused_image_is_withheld(served: Served) -> None:
    """Its layers were read out of the store, and one has what the policy refuses."""
    with served.gateway.client("reader") as client:
        answer = client.get(f"/v2/{NAME}/manifests/bad")
    assert answer.status_code == 403
    assert "Python 3.7.1 found" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("times", [1, 2])
def test_a_part_of_a_blob_is_handed_out(served: Served, times: int) -> None:
    """From the store, and when it was asked for before."""
    with served.gateway.client("admin") as client:
        path = upload(client, CONTENT)
        for _ in range(times):
            answer = client.get(path, headers={"Range": "bytes=300-900000"})
        assert (answer.status_code, answer.content) == (206, CONTENT[300:900001])


def test_a_deleted_blob_is_gone(served: Served) -> None:
    """Also for whoever asked before."""
    content = b"short-lived" * 10_000
    with served.gateway.client("admin") as client:
        path = upload(client, content)
        assert client.get(path).content == content
        served.store.delete(Digest.of(content))
        assert client.get(path).status_code == 404


def test_damaged_content_is_withheld_until_it_is_pushed(served: Served) -> None:
    """As on a disk."""
    content = b"will rot"
    with served.gateway.client("admin") as client:
        path = upload(client, content)
        served.spoil(served.store, served.gateway.registry.data, Digest.of(content), b"has rotted")
        assert client.get(path).status_code == 404
        upload(client, content)
        assert client.get(path).content == content
