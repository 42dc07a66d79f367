"""The disk of a node whose blobs are in an object store: full, it refuses pushes truthfully, and copies give way."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from registry.oci.digest import Digest
from tests.crash.small_disk import FILLER, fill, small_disk
from tests.registry.storage.object_servers import moto
from tests.repository import Repository
from tests.servers import LiveRegistry, open_registry

pytestmark = pytest.mark.root
MIB = 1 << 20


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveRegistry]:
    """A node on an ext4 of 40 MiB, without a reserve."""
    with small_disk(tmp_path, "ext4", 40) as place:
        storage = moto().settings(tmp_path / "keys", reserve_bytes=0)
        with open_registry(place / "data", storage=storage) as live:
            yield live


@pytest.fixture
def repository(live: LiveRegistry) -> Iterator[Repository]:
    """One of its repositories."""
    with live.client() as client:
        yield Repository(client, "team/app")


def content(name: bytes, mebibytes: int) -> bytes:
    """Bytes of a blob."""
    return name * (mebibytes * MIB)


def push(repository: Repository, raw: bytes) -> httpx.Response:
    """Try it."""
    where = repository.open_upload()
    return repository.client.put(where, params={"digest": Digest.of(raw)}, content=raw)


def test_a_push_is_refused_truthfully(live: LiveRegistry, repository: Repository) -> None:
    """With its own code; nothing of it is left here, and what is in the store is to be had."""
    blob = repository.blob(content(b"a", 2))
    fill(live.data.parent, MIB)
    answer = push(repository, content(b"b", 4))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (507, "INSUFFICIENT_STORAGE")
    assert [path for path in (live.data / "incoming").rglob("*") if path.is_file()] == []
    assert repository.get(f"blobs/{blob.digest}").content == blob.raw


def test_it_is_taken_when_there_is_room(live: LiveRegistry, repository: Repository) -> None:
    """Nothing needs to be started anew."""
    fill(live.data.parent, MIB)
    assert push(repository, content(b"b", 4)).status_code == 507
    (live.data.parent / FILLER).unlink()
    assert push(repository, content(b"b", 4)).status_code == 201


def test_copies_give_way_to_uploads(live: LiveRegistry, repository: Repository) -> None:
    """What filled the disk gets their room."""
    for name in (b"a", b"b", b"c"):
        repository.blob(content(name, 2))
    fill(live.data.parent, MIB)
    for _ in range(4):
        live.app.upkeep.fit_cache()
    assert push(repository, content(b"d", 4)).status_code == 201
