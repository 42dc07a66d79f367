"""Where uploads go on: noted for whoever sends the same blob next."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from registry.registry_client.unfinished_uploads import UnfinishedUploads, folder_of

URL, APP, DIGEST = "https://registry.example", RepositoryName("team/app"), Digest.of(b"blob")
SIZE, DAY = 1000, 86400.0


@pytest.fixture(name="uploads")
def _uploads(tmp_path: Path) -> UnfinishedUploads:
    return UnfinishedUploads(tmp_path / "uploads", SIZE, DAY)


def leave(uploads: UnfinishedUploads, location: str = "/1", size: int = SIZE) -> None:
    """Begin to send a blob, and be cut off."""
    with suppress(ConnectionError), uploads.sending(URL, APP, DIGEST, size) as upload:
        upload.keep(location)
        raise ConnectionError


def location(uploads: UnfinishedUploads, url: str = URL, size: int = SIZE) -> str:
    """Where a sender of the blob is to go on."""
    with uploads.sending(url, APP, DIGEST, size) as upload:
        return upload.location


def test_what_is_left_is_known_to_the_next(uploads: UnfinishedUploads) -> None:
    """Until somebody has sent all of it."""
    leave(uploads)
    assert [location(uploads), location(uploads)] == ["/1", ""]


def test_another_registry_knows_nothing_of_it(uploads: UnfinishedUploads) -> None:
    """URLs of uploads mean nothing elsewhere."""
    leave(uploads)
    assert location(uploads, "https://other.example") == ""


def test_small_blobs_are_not_noted(uploads: UnfinishedUploads, tmp_path: Path) -> None:
    """There is not even a folder."""
    leave(uploads, size=SIZE - 1)
    assert not (tmp_path / "uploads").exists()


def test_two_at_once(uploads: UnfinishedUploads) -> None:
    """The second begins an upload of its own, and leaves the note of the first alone."""
    leave(uploads)
    with suppress(ConnectionError), uploads.sending(URL, APP, DIGEST, SIZE) as first:
        assert (first.location, location(uploads)) == ("/1", "")
        raise ConnectionError
    assert location(uploads) == "/1"


def test_a_note_that_was_removed_as_old_is_not_taken_for_the_next(uploads: UnfinishedUploads, tmp_path: Path) -> None:
    """Whoever sends for longer than notes are kept leaves that of the next alone."""
    with uploads.sending(URL, APP, DIGEST, SIZE):
        [note] = (tmp_path / "uploads").iterdir()
        note.unlink()
        leave(uploads, "/2")
    assert location(uploads) == "/2"


def test_notes_are_their_owners_alone(uploads: UnfinishedUploads, tmp_path: Path) -> None:
    """The folder too."""
    leave(uploads)
    [note] = (tmp_path / "uploads").iterdir()
    assert [path.stat().st_mode & 0o777 for path in (note.parent, note)] == [0o700, 0o600]


def test_old_notes_go(uploads: UnfinishedUploads, tmp_path: Path) -> None:
    """When somebody sends something else."""
    leave(uploads)
    [note] = (tmp_path / "uploads").iterdir()
    os.utime(note, (0, 0))
    assert location(uploads, "https://other.example") == ""
    assert not note.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"location": 1}', b'{"location": "/2"}', b"\xff"])
def test_a_note_that_cannot_be_read(uploads: UnfinishedUploads, tmp_path: Path, content: bytes) -> None:
    """It is as if there were none."""
    leave(uploads)
    [note] = (tmp_path / "uploads").iterdir()
    note.write_bytes(content)
    assert location(uploads) == ""


def test_a_folder_that_takes_nothing(tmp_path: Path) -> None:
    """Nothing is noted, and the blob is sent all the same."""
    (tmp_path / "file").touch()
    uploads = UnfinishedUploads(tmp_path / "file/uploads", SIZE, DAY)
    leave(uploads)
    assert location(uploads) == ""


def test_the_folder_is_where_state_belongs(tmp_path: Path) -> None:
    """By the XDG Base Directory Specification."""
    assert folder_of({}, tmp_path) == tmp_path / ".local/state/basegate/uploads"
    assert folder_of({"XDG_STATE_HOME": "/state"}, tmp_path) == Path("/state/basegate/uploads")
