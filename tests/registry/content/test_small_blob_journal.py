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
from tests.registry.open_rooms import (
    OTHER,
    PUSHER,
    REPOSITORY,
    OpenRooms,
    open_rooms,
    pieces,
)
from tests.repository import Repository
from tests.servers import open_registry

ALL = (0, 1 << 60, 1000)


def entries(rooms: OpenRooms) -> list[Digest]:
    """What the journal holds, oldest first."""
    return [entry.digest for entry in rooms.run(rooms.metadata.read(small_blobs.behind, *ALL))]


def file_of(rooms: OpenRooms, content: bytes) -> Path:
    """Where a blob belongs."""
    encoded = Digest.of(content).encoded
    return rooms.data / "blobs" / "sha256" / encoded[:2] / encoded


def refuse() -> None:
    """A sync that fails."""
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def meanwhile(rooms: OpenRooms, happens: Callable[[], None]) -> None:
    """Let something happen while files are synced."""
    real = rooms.storage.small.sync_all
    assert real is not None

    def sync() -> None:
        happens()
        real()

    rooms.storage.small.sync_all = sync


async def push_in_chunks(rooms: OpenRooms, content: bytes) -> None:
    """An upload that has a staging file, however small it is."""
    session = await rooms.uploads.start(REPOSITORY, PUSHER)
    await rooms.uploads.append(session, pieces(content), None, None)
    await rooms.uploads.finish(session, Digest.of(content), pieces(), None, None)


async def begun(rooms: OpenRooms) -> asyncio.Task[None]:
    """The journal's own work, in the background of whatever is run from now on."""
    return asyncio.create_task(rooms.journal.run())


def test_what_comes_while_files_are_synced_stays(rooms: OpenRooms) -> None:
    """It may have come too late for that sync."""

    def push(connection: Connection) -> None:
        small_blobs.add(connection, Digest.of(b"late"), b"late")

    rooms.run(rooms.push_blob(b"early"))
    meanwhile(rooms, lambda: asyncio.run(rooms.metadata.write(push)))
    rooms.run(rooms.journal.settle())
    assert entries(rooms) == [Digest.of(b"late")]


def test_ids_are_never_given_twice(rooms: OpenRooms) -> None:
    """Else an entry that came after a sync could be taken for one that it covers."""
    rooms.run(rooms.push_blob(b"one"))
    first = rooms.run(rooms.metadata.read(small_blobs.newest))
    rooms.run(rooms.journal.settle())
    rooms.run(rooms.push_blob(b"two"))
    assert rooms.run(rooms.metadata.read(small_blobs.newest)) > first


def test_a_failed_sync_has_every_file_written_again(rooms: OpenRooms, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page cache shows after it need not be on the disk: each file is written and synced by itself."""
    rooms.run(rooms.push_blob(b"content"))
    before = file_of(rooms, b"content").stat().st_ino
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    rooms.storage.small.sync_all = refuse
    rooms.run(rooms.journal.settle())
    assert (len(synced), file_of(rooms, b"content").stat().st_ino == before, entries(rooms)) == (1, False, [])


def test_a_disk_that_goes_on_failing_empties_nothing(rooms: OpenRooms, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entries stay, and the next settling finds them."""
    rooms.run(rooms.push_blob(b"content"))
    real, rooms.storage.small.sync_all = rooms.storage.small.sync_all, refuse
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", lambda _descriptor: refuse())
        with pytest.raises(OSError, match="error"):
            rooms.run(rooms.journal.settle())
    assert entries(rooms) == [Digest.of(b"content")]
    rooms.storage.small.sync_all = real
    rooms.run(rooms.journal.settle())
    assert entries(rooms) == []


def test_without_a_sync_of_the_whole_each_file_is_synced(rooms: OpenRooms, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where syncfs cannot be relied upon."""
    rooms.run(rooms.push_blob(b"content"))
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    rooms.storage.small.sync_all = None
    rooms.run(rooms.journal.settle())
    assert (len(synced), entries(rooms)) == (1, [])


def test_a_full_journal_takes_nothing_more(tmp_path: Path) -> None:
    """A blob counts for 4 KiB at least; the third one is made durable by itself, and room comes with settling."""
    with open_rooms(tmp_path, storage={"journal_bytes": 8192}) as rooms:
        for content in (b"one", b"two", b"three"):
            rooms.run(rooms.push_blob(content))
        assert entries(rooms) == [Digest.of(b"one"), Digest.of(b"two")]
        rooms.run(rooms.journal.settle())
        rooms.run(rooms.push_blob(b"four"))
        assert entries(rooms) == [Digest.of(b"four")]


def test_it_is_emptied_when_half_full_and_at_the_end(tmp_path: Path) -> None:
    """Without waiting for its time."""
    with open_rooms(tmp_path, storage={"journal_bytes": 16_384, "journal_seconds": 3600}) as rooms:
        running = rooms.run(begun(rooms))
        rooms.run(rooms.push_blob(b"one"))
        rooms.run(rooms.push_blob(b"two"))
        while entries(rooms):
            rooms.run(asyncio.sleep(0.01))
        rooms.run(rooms.push_blob(b"three"))
        running.cancel()
        rooms.run(asyncio.wait({running}))
        assert entries(rooms) == []


def test_a_server_that_stops_leaves_nothing_in_it(tmp_path: Path) -> None:
    """Its background work has settled before the database is closed."""
    with open_registry(tmp_path) as live, live.client() as client:
        Repository(client, "team/app").blob(b"content")
    with open_rooms(tmp_path) as rooms:
        assert (entries(rooms), file_of(rooms, b"content").read_bytes()) == ([], b"content")


def test_a_refused_push_leaves_no_entry(tmp_path: Path) -> None:
    """Nor does it stand in the way of a later push of the same bytes."""
    with open_rooms(tmp_path, quotas=[{"repositories": [REPOSITORY], "bytes": 5}]) as rooms:
        with pytest.raises(QuotaExceeded):
            rooms.run(rooms.push_blob(b"too large"))
        assert entries(rooms) == []
        rooms.run(rooms.push_blob(b"too large", OTHER))
        assert entries(rooms) == [Digest.of(b"too large")]


def test_a_file_that_may_be_durable_is_not_replaced(rooms: OpenRooms) -> None:
    """Pushed in chunks and synced; a small push of the same bytes only makes it young again."""
    rooms.run(push_in_chunks(rooms, b"content"))
    path = file_of(rooms, b"content")
    age_file(path)
    before = path.stat()
    rooms.run(rooms.push_blob(b"content", OTHER))
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime > before.st_mtime
    assert entries(rooms) == [Digest.of(b"content")]


def test_a_damaged_file_is_replaced(rooms: OpenRooms) -> None:
    """What a power failure has left of a push that was never acknowledged; what takes its place is durable."""
    path = file_of(rooms, b"content")
    path.parent.mkdir()
    path.write_bytes(b"")
    rooms.run(rooms.push_blob(b"content"))
    assert path.read_bytes() == b"content"


def test_a_collected_blob_does_not_come_back(tmp_path: Path) -> None:
    """Its entry goes with its file."""
    with open_rooms(tmp_path) as rooms:
        rooms.run(rooms.push_blob(b"content"))
        rooms.run(rooms.blobs.delete(REPOSITORY, Digest.of(b"content")))
        age(rooms)
        assert rooms.run(rooms.collector.run()).blobs == 1
        assert entries(rooms) == []
    with open_rooms(tmp_path) as rooms:
        assert rooms.run(rooms.storage.stat(Digest.of(b"content"))) is None


def test_a_deleted_blob_that_was_not_collected_yet_is_collected_after_a_restart(tmp_path: Path) -> None:
    """Written again from its entry, it is still without rows."""
    with open_rooms(tmp_path) as rooms:
        rooms.run(rooms.push_blob(b"content"))
        rooms.run(rooms.blobs.delete(REPOSITORY, Digest.of(b"content")))
    file_of(rooms, b"content").unlink()
    with open_rooms(tmp_path) as rooms:
        age(rooms)
        assert rooms.run(rooms.collector.run()).blobs == 1
        assert entries(rooms) == []


def test_what_a_killed_process_left_on_the_way_is_in_nobodys_way(rooms: OpenRooms) -> None:
    """A file under the name that this content has while it is written."""
    (rooms.data / "incoming" / Digest.of(b"content").encoded).write_bytes(b"cont")
    rooms.run(rooms.push_blob(b"content"))
    assert file_of(rooms, b"content").read_bytes() == b"content"
    assert list((rooms.data / "incoming").iterdir()) == []


def test_where_files_have_one_name_only_each_is_synced(rooms: OpenRooms, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without link(2)."""

    def refused(*_arguments: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    rooms.run(rooms.push_blob(b"content"))
    assert (len(synced), file_of(rooms, b"content").read_bytes()) == (1, b"content")
