"""Requests for one upload of several nodes that come at the same time, and what they leave to each other."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from registry.app import build
from registry.metadata import shared_uploads
from registry.oci.digest import Digest
from tests.halfway import HalfwayUpload
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import moto
from tests.repository import Repository
from tests.servers import LiveRegistry, open_settings, running
from tests.waiting import wait_until

WHOLE = b"first" * 2000 + b"second"
"""What a `HalfwayUpload` sends."""


@pytest.fixture(scope="module")
def nodes(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LiveRegistry, LiveRegistry]]:
    """Two servers over one database and one store."""
    folder = tmp_path_factory.mktemp("at_once")
    groups = {
        "storage": moto().settings(folder / "keys"),
        "metadata": postgres.settings(),
        "uploads": {"lease_seconds": 0.5},
    }
    with (
        running(build(open_settings(folder / "first", **groups))) as first,
        running(build(open_settings(folder / "second", **groups))) as second,
    ):
        yield first, second


@pytest.fixture
def here(nodes: tuple[LiveRegistry, LiveRegistry]) -> Iterator[httpx.Client]:
    """Somebody at the first."""
    with nodes[0].client() as client:
        yield client


@pytest.fixture
def there(nodes: tuple[LiveRegistry, LiveRegistry]) -> Iterator[httpx.Client]:
    """Somebody at the second."""
    with nodes[1].client() as client:
        yield client


@pytest.fixture
def upload(here: httpx.Client) -> str:
    """The path of an upload that was opened at the first."""
    return Repository(here, "team/app").open_upload()


def begun(node: LiveRegistry, upload: str, method: str = "PUT") -> HalfwayUpload:
    """A request that has brought some of its bytes."""
    half = HalfwayUpload(f"{node.url}{upload}", method=method)
    wait_until(lambda: bool(files(node, upload)))
    return half


def files(node: LiveRegistry, upload: str) -> list[Path]:
    """Of an upload, at one node."""
    return list(node.data.rglob(upload.rpartition("/")[2]))


def ended(client: httpx.Client, upload: str) -> int:
    """The status of a request that brings all bytes."""
    return client.put(upload, params={"digest": Digest.of(WHOLE)}, content=WHOLE).status_code


def test_a_last_request_that_is_repeated_leaves_the_first_its_bytes(
    nodes: tuple[LiveRegistry, LiveRegistry], here: httpx.Client, there: httpx.Client, upload: str
) -> None:
    """Another node has ended the upload meanwhile; all of them bring the blob."""
    first = begun(nodes[0], upload)
    assert [ended(there, upload), ended(here, upload), first.go_on()] == [201, 201, 201]
    assert here.get(f"/v2/team/app/blobs/{Digest.of(WHOLE)}").content == WHOLE


def test_a_look_at_an_upload_keeps_nobody_from_ending_it(
    nodes: tuple[LiveRegistry, LiveRegistry], here: httpx.Client, upload: str
) -> None:
    """Also where it is told that another node has claimed it since, without a byte so far."""
    last, row = begun(nodes[0], upload), upload.rpartition("/")[2]
    other = begun(nodes[1], upload, "PATCH")
    assert nodes[0].app.services.stores.metadata.read_now(shared_uploads.find, row) is not None
    assert here.get(upload).status_code == 204
    assert (last.go_on(), here.get(upload).status_code, other.go_on()) == (201, 404, 503)
