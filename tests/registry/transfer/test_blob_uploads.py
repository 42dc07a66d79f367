"""Blobs on their way into a data folder: what a process that was killed has left of one is gone on with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from registry.registry_client.errors import Unreachable
from registry.registry_client.unfinished_uploads import UnfinishedUploads
from registry.transfer.blob_uploads import NOTES, BlobUploads
from registry.transfer.contents import Content
from registry.transfer.errors import SourceUnusable
from tests.registry.open_services import PUSHER, REPOSITORY, OpenServices, open_services

CONTENT = bytes(range(256)) * 16
HALF = len(CONTENT) // 2
BLOB = Descriptor("application/octet-stream", Digest.of(CONTENT), len(CONTENT))


class Killed(BaseException):
    """What ends a process has no time for anything else."""


class Reading:
    """A source of the blob.

    Args:
        content: its bytes.
        end: raised in their middle; `None`: they come whole.

    Attributes:
        starts: from where on they were asked for.
    """

    def __init__(self, content: bytes = CONTENT, end: BaseException | None = None) -> None:
        self._content = content
        self._end = end
        self.starts: list[int] = []

    async def read(self, start: int) -> AsyncIterator[bytes]:
        """The rest of it."""
        self.starts.append(start)
        yield self._content[start : max(start, HALF)]
        if self._end is not None:
            raise self._end
        yield self._content[max(start, HALF) :]


def take(services: OpenServices, content: Content) -> None:
    """Have the blob in the repository, as a command would."""
    notes = UnfinishedUploads(services.data / NOTES, 1, 3600.0)
    services.run(BlobUploads(services.uploads, PUSHER, REPOSITORY, notes).take(BLOB, content))


def leave(data: Path, source: Reading, how: type[BaseException] = Killed) -> None:
    """Be cut off within the blob, in a process of its own."""
    with open_services(data) as services, pytest.raises(how):
        take(services, source.read)


def stored(services: OpenServices) -> bytes:
    """The blob, and nothing beside it: no upload, no note."""
    for folder in ("uploads", "incoming", NOTES):
        assert list((services.data / folder).iterdir()) == []
    blob = services.run(services.blobs.pull(PUSHER, REPOSITORY, BLOB.digest))
    assert blob.path is not None
    return blob.path.read_bytes()


@pytest.mark.parametrize("end", [Killed(), Unreachable("the line is cut")])
def test_the_rest_is_read(tmp_path: Path, end: BaseException) -> None:
    """By the next process, of a source that was killed or is back."""
    leave(tmp_path, Reading(end=end), type(end))
    again = Reading()
    with open_services(tmp_path) as services:
        take(services, again.read)
        assert (stored(services), again.starts) == (CONTENT, [HALF])


def test_a_process_that_was_killed_before_the_end_alone(tmp_path: Path) -> None:
    """All bytes are here: nothing is read."""
    with open_services(tmp_path) as services:
        leave(tmp_path, Reading(end=Killed()))
        [upload] = (tmp_path / "uploads").iterdir()
        session = services.run(services.uploads.session(REPOSITORY, upload.name))
        services.run(services.uploads.append(session, Reading().read(HALF), HALF, HALF))
    again = Reading()
    with open_services(tmp_path) as services:
        take(services, again.read)
        assert (stored(services), again.starts) == (CONTENT, [])


def test_what_was_left_is_of_other_bytes(tmp_path: Path) -> None:
    """The blob is begun anew."""
    leave(tmp_path, Reading(b"?" * len(CONTENT), Killed()))
    again = Reading()
    with open_services(tmp_path) as services:
        take(services, again.read)
        assert (stored(services), again.starts) == (CONTENT, [HALF, 0])


def test_what_was_left_is_too_long(tmp_path: Path) -> None:
    """The blob is begun anew."""
    leave(tmp_path, Reading(CONTENT * 4, Killed()))
    [upload] = (tmp_path / "uploads").iterdir()
    (upload / "data").write_bytes(CONTENT * 2)
    again = Reading()
    with open_services(tmp_path) as services:
        take(services, again.read)
        assert (stored(services), again.starts) == (CONTENT, [0])


def test_what_was_left_is_gone(tmp_path: Path) -> None:
    """A server has removed it when it was old."""
    leave(tmp_path, Reading(end=Killed()))
    with open_services(tmp_path) as services:
        services.configure(uploads={"expire_seconds": 60})
        services.run(services.uploads.expire(2e10))
    again = Reading()
    with open_services(tmp_path) as services:
        take(services, again.read)
        assert (stored(services), again.starts) == (CONTENT, [0])


def test_of_a_source_that_is_damaged_nothing_stays(tmp_path: Path) -> None:
    """Another try would read the same."""
    leave(tmp_path, Reading(end=SourceUnusable("it ends early")), SourceUnusable)
    assert list((tmp_path / "uploads").iterdir()) == []


def test_two_at_once(tmp_path: Path) -> None:
    """The second takes it in one go, and leaves the upload of the first alone."""
    with open_services(tmp_path) as services, open_services(tmp_path) as others:

        async def read(start: int) -> AsyncIterator[bytes]:
            yield CONTENT[start:HALF]
            second = BlobUploads(others.uploads, PUSHER, REPOSITORY, UnfinishedUploads(tmp_path / NOTES, 1, 3600.0))
            await second.take(BLOB, Reading().read)
            yield CONTENT[HALF:]

        take(services, read)
        assert stored(services) == CONTENT
