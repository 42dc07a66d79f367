"""The journal of small blobs: what it takes, when it is emptied, and what a failing disk does to it."""

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from registry.metadata import small_blobs
from registry.oci.digest import Digest
from registry.oci.errors import QuotaExceeded
from tests.registry.ageing import age, age_file
from tests.registry.open_services import (
    OTHER,
    PUSHER,
    REPOSITORY,
    OpenServices,
    open_services,
    pieces,
)
from tests.repository import Repository
from tests.servers import open_registry

ALL = (0, 1 << 60, 1000)


def entries(services: OpenServices) -> list[Digest]:
    """What the journal holds, oldest first."""
    return [entry.digest for entry in services.run(services.metadata.read(small_blobs.behind, *ALL))]


def file_of(services: OpenServices, content: bytes) -> Path:
    """Where a blob belongs."""
    encoded = Digest.of(content).encoded
    return services.data / "blobs" / "sha256" / encoded[:2] / encoded


def refuse() -> None:
    """A sync that fails."""
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def meanwhile(services: OpenServices, happens: Callable[[], None]) -> None:
    """Let something happen while files are synced."""
    real = services.storage.small.sync_all
    assert real is not None

    def sync() -> None:
        happens()
        real()

    services.storage.small.sync_all = sync


async def push_in_chunks(services: OpenServices, content: bytes) -> None:
    """An upload that has a staging file, however small it is."""
    session = await services.uploads.start(REPOSITORY, PUSHER)
    await services.uploads.append(session, pieces(content), None, None)
    await services.uploads.finish(session, Digest.of(content), pieces(), None, None)


async def begun(services: OpenServices) -> asyncio.Task[None]:
    """The journal's own work, in the background of whatever is run from now on."""
    return asyncio.create_task(services.journal.run())


def test_what_comes_while_files_are_synced_stays(services: OpenServices) -> None:
    """It may have come too late for that sync."""

    def push(connection: Connection) -> None:
        small_blobs.add(connection, Digest.of(b"late"), b"late")

    services.run(services.push_blob(b"early"))
    meanwhile(services, lambda: asyncio.run(services.metadata.write(push)))
    services.run(services.journal.settle())
    assert entries(services) == [Digest.of(b"late")]


def test_ids_are_never_given_twice(services: OpenServices) -> None:
    """Else an entry that came after a sync could be taken for one that it covers."""
    services.run(services.push_blob(b"one"))
    first = services.run(services.metadata.read(small_blobs.newest))
    services.run(services.journal.settle())
    services.run(services.push_blob(b"two"))
    assert services.run(services.metadata.read(small_blobs.newest)) > first


def test_a_failed_sync_has_every_file_written_again(services: OpenServices, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page cache shows after it need not be on the disk: each file is written and synced by itself."""
    services.run(services.push_blob(b"content"))
    before = file_of(services, b"content").stat().st_ino
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    services.storage.small.sync_all = refuse
    services.run(services.journal.settle())
    assert (len(synced), file_of(services, b"content").stat().st_ino == before, entries(services)) == (1, False, [])


def test_a_disk_that_goes_on_failing_empties_nothing(services: OpenServices, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entries stay, and the next settling finds them."""
    services.run(services.push_blob(b"content"))
    real, services.storage.small.sync_all = services.storage.small.sync_all, refuse
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", lambda _descriptor: refuse())
        with pytest.raises(OSError, match="error"):
            services.run(services.journal.settle())
    assert entries(services) == [Digest.of(b"content")]
    services.storage.small.sync_all = real
    services.run(services.journal.settle())
    assert entries(services) == []


def test_without_a_sync_of_the_whole_each_file_is_synced(
    services: OpenServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where syncfs cannot be relied upon."""
    services.run(services.push_blob(b"content"))
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    services.storage.small.sync_all = None
    services.run(services.journal.settle())
    assert (len(synced), entries(services)) == (1, [])


def test_a_full_journal_takes_nothing_more(tmp_path: Path) -> None:
    """A blob counts for 4 KiB at least; the third one is made durable by itself, and room comes with settling."""
    with open_services(tmp_path, storage={"journal_bytes": 8192}) as services:
        for content in (b"one", b"two", b"three"):
            services.run(services.push_blob(content))
        assert entries(services) == [Digest.of(b"one"), Digest.of(b"two")]
        services.run(services.journal.settle())
        services.run(services.push_blob(b"four"))
        assert entries(services) == [Digest.of(b"four")]


def test_it_is_emptied_when_half_full_and_at_the_end(tmp_path: Path) -> None:
    """Without waiting for its time."""
    with open_services(tmp_path, storage={"journal_bytes": 16_384, "journal_seconds": 3600}) as services:
        running = services.run(begun(services))
        services.run(services.push_blob(b"one"))
        services.run(services.push_blob(b"two"))
        while entries(services):
            services.run(asyncio.sleep(0.01))
        services.run(services.push_blob(b"three"))
        running.cancel()
        services.run(asyncio.wait({running}))
        assert entries(services) == []


def test_a_server_that_stops_leaves_nothing_in_it(tmp_path: Path) -> None:
    """Its background work has settled before the database is closed."""
    with open_registry(tmp_path) as live, live.client() as client:
        Repository(client, "team/app").blob(b"content")
    with open_services(tmp_path) as services:
        assert (entries(services), file_of(services, b"content").read_bytes()) == ([], b"content")


def test_a_refused_push_leaves_no_entry(tmp_path: Path) -> None:
    """Nor does it stand in the way of a later push of the same bytes."""
    with open_services(tmp_path, quotas=[{"repositories": [REPOSITORY], "bytes": 5}]) as services:
        with pytest.raises(QuotaExceeded):
            services.run(services.push_blob(b"too large"))
        assert entries(services) == []
        services.run(services.push_blob(b"too large", OTHER))
        assert entries(services) == [Digest.of(b"too large")]


def test_a_file_that_may_be_durable_is_not_replaced(services: OpenServices) -> None:
    """Pushed in chunks and synced; a small push of the same bytes only makes it young again."""
    services.run(push_in_chunks(services, b"content"))
    path = file_of(services, b"content")
    age_file(path)
    before = path.stat()
    services.run(services.push_blob(b"content", OTHER))
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime > before.st_mtime
    assert entries(services) == [Digest.of(b"content")]


def test_a_damaged_file_is_replaced(services: OpenServices) -> None:
    """What a power failure has left of a push that was never acknowledged; what takes its place is durable."""
    path = file_of(services, b"content")
    path.parent.mkdir()
    path.write_bytes(b"")
    services.run(services.push_blob(b"content"))
    assert path.read_bytes() == b"content"


def test_a_collected_blob_does_not_come_back(tmp_path: Path) -> None:
    """Its entry goes with its file."""
    with open_services(tmp_path) as services:
        services.run(services.push_blob(b"content"))
        services.run(services.blobs.delete(REPOSITORY, Digest.of(b"content")))
        age(services)
        assert services.run(services.collector.run()).blobs == 1
        assert entries(services) == []
    with open_services(tmp_path) as services:
        assert services.run(services.storage.stat(Digest.of(b"content"))) is None


def test_a_deleted_blob_that_was_not_collected_yet_is_collected_after_a_restart(tmp_path: Path) -> None:
    """Written again from its entry, it is still without rows."""
    with open_services(tmp_path) as services:
        services.run(services.push_blob(b"content"))
        services.run(services.blobs.delete(REPOSITORY, Digest.of(b"content")))
    file_of(services, b"content").unlink()
    with open_services(tmp_path) as services:
        age(services)
        assert services.run(services.collector.run()).blobs == 1
        assert entries(services) == []


def test_what_a_killed_process_left_on_the_way_is_in_nobodys_way(services: OpenServices) -> None:
    """A file under the name that this content has while it is written."""
    (services.data / "incoming" / Digest.of(b"content").encoded).write_bytes(b"cont")
    services.run(services.push_blob(b"content"))
    assert file_of(services, b"content").read_bytes() == b"content"
    assert list((services.data / "incoming").iterdir()) == []


def test_where_files_have_one_name_only_each_is_synced(services: OpenServices, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without link(2)."""

    def refused(*_arguments: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    services.run(services.push_blob(b"content"))
    assert (len(synced), file_of(services, b"content").read_bytes()) == (1, b"content")
