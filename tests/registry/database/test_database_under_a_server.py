"""The database goes, is replaced or is damaged under a running server: no 201 that is lost, and readyz says why."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.registry.open_services import open_services
from tests.repository import Repository
from tests.servers import LiveRegistry, open_registry

Harm = Callable[[Path], None]


def deleted(path: Path) -> None:
    """Somebody cleaned up."""
    path.unlink()


def renamed(path: Path) -> None:
    """Moved to another name."""
    path.rename(path.with_name("aside.db"))


def replaced(path: Path) -> None:
    """An older copy was put back."""
    kept = path.read_bytes()
    path.unlink()
    path.write_bytes(kept)


def log_deleted(path: Path) -> None:
    """The write-ahead log alone."""
    path.with_name("registry.db-wal").unlink()


def index_deleted(path: Path) -> None:
    """The shared memory of the write-ahead log alone."""
    path.with_name("registry.db-shm").unlink()


def cut(path: Path) -> None:
    """To a length of nothing."""
    with path.open("r+b") as file:
        file.truncate(0)


def overwritten(path: Path) -> None:
    """With something that is no database."""
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)


@pytest.fixture
def live(live: LiveRegistry, repository: Repository) -> LiveRegistry:
    """With an image, which has settled in its files."""
    repository.image("v1")
    with closing(sqlite3.connect(live.data / "registry.db")) as database:
        database.execute("PRAGMA wal_checkpoint")
    return live


def statuses(client: httpx.Client) -> list[int]:
    """What pushes of a small and of a large blob and readiness answer."""
    pushes = [push(client, content) for content in (b"other", b"large" * 100_000)]
    return [*pushes, client.get("/readyz").status_code]


def push(client: httpx.Client, content: bytes) -> int:
    """What a push of a blob comes to, at its first request or its last."""
    opening = client.post(Repository(client, "team/app").url("blobs/uploads/"))
    if opening.status_code != 202:
        return opening.status_code
    return client.put(opening.headers["location"], params={"digest": Digest.of(content)}, content=content).status_code


@pytest.mark.parametrize("harm", [deleted, renamed, replaced, log_deleted, index_deleted, cut])
def test_writes_are_refused_and_readiness_tells(live: LiveRegistry, harm: Harm) -> None:
    """503 in the OCI form, with what to do."""
    harm(live.data / "registry.db")
    with live.client() as client:
        assert statuses(client) == [503, 503, 503]
        assert "rebuild" in client.get("/readyz").text


def test_a_database_that_was_overwritten_is_found_by_readiness(live: LiveRegistry) -> None:
    """What is in memory does not answer for the file; from then on nothing is written."""
    overwritten(live.data / "registry.db")
    with live.client() as client:
        assert client.get("/readyz").status_code == 503
        assert statuses(client) == [503, 503, 503]


def test_a_damaged_page_is_found_by_reading_them_all(tmp_path: Path) -> None:
    """Nothing has asked for it yet: the server looks by itself after its rows were written to the file."""
    with open_services(tmp_path) as services:
        for number in range(20):
            services.run(services.push_image(Tag(f"v{number}")))
    with open_registry(tmp_path) as live, live.client() as client:
        rows = live.app.upkeep.rows
        assert rows is not None
        assert rows.check_rows()
        content = bytearray((tmp_path / "registry.db").read_bytes())
        content[4096 * 3 : 4096 * 4] = b"\xff" * 4096
        (tmp_path / "registry.db").write_bytes(content)
        assert not rows.check_rows()
        assert client.get("/readyz").status_code == 503


def test_reads_go_on(live: LiveRegistry) -> None:
    """What is open can still be read."""
    deleted(live.data / "registry.db")
    with live.client() as client:
        assert Repository(client, "team/app").get("manifests/v1").status_code == 200
