"""Blobs of repositories: seen only where they belong, mounted with leave, deleted when nobody needs them."""

from pathlib import Path

import pytest

from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown, Denied, Unsupported
from registry.oci.names import RepositoryName, Tag
from tests.registry.gates import REFUSED, GateOfTests
from tests.registry.open_rooms import OTHER, PUSHER, REPOSITORY, OpenRooms, open_rooms

CONTENT = b"content"
DIGEST = Digest.of(CONTENT)


def anywhere(_repository: str) -> bool:
    """The caller may pull everywhere."""
    return True


def nowhere(_repository: str) -> bool:
    """The caller may pull nowhere else."""
    return False


def visible(rooms: OpenRooms, repository: RepositoryName = OTHER) -> bool:
    """Whether the blob can be pulled from a repository."""
    try:
        return rooms.run(rooms.blobs.pull(PUSHER, repository, DIGEST)).size == len(CONTENT)
    except BlobUnknown:
        return False


def test_a_pushed_blob_can_be_pulled(rooms: OpenRooms) -> None:
    """From its repository, with its size and path."""
    rooms.run(rooms.push_blob(CONTENT))
    blob = rooms.run(rooms.blobs.pull(PUSHER, REPOSITORY, DIGEST))
    assert blob.path is not None
    assert (blob.size, blob.path.read_bytes()) == (7, CONTENT)


def test_a_blob_is_unknown_to_other_repositories(rooms: OpenRooms) -> None:
    """The store holds it, another repository does not show it."""
    rooms.run(rooms.push_blob(CONTENT))
    assert not visible(rooms)


def test_the_gate_can_withhold_a_blob(tmp_path: Path) -> None:
    """The refusal carries the gate's message and detail."""
    gate = GateOfTests()
    with open_rooms(tmp_path, gate) as rooms:
        rooms.run(rooms.push_blob(CONTENT))
        gate.refused.add(DIGEST)
        with pytest.raises(Denied, match="not cleared") as caught:
            rooms.run(rooms.blobs.pull(PUSHER, REPOSITORY, DIGEST))
    assert caught.value.detail == REFUSED.detail


@pytest.mark.parametrize("source", [REPOSITORY, None])
def test_a_mount_links_the_blob(rooms: OpenRooms, source: RepositoryName | None) -> None:
    """With the source named, or found."""
    rooms.run(rooms.push_blob(CONTENT))
    assert rooms.run(rooms.blobs.mount(PUSHER, OTHER, DIGEST, source, anywhere))
    assert visible(rooms)


def test_a_mount_from_where_the_blob_is_not_fails(rooms: OpenRooms) -> None:
    """Another repository holding it does not help the source that was named."""
    rooms.run(rooms.push_blob(CONTENT))
    assert not rooms.run(rooms.blobs.mount(PUSHER, OTHER, DIGEST, OTHER, anywhere))
    assert not visible(rooms)


@pytest.mark.parametrize("source", [REPOSITORY, None])
def test_a_mount_needs_pull_on_the_source(rooms: OpenRooms, source: RepositoryName | None) -> None:
    """What the caller may not read is not mounted."""
    rooms.run(rooms.push_blob(CONTENT))
    assert not rooms.run(rooms.blobs.mount(PUSHER, OTHER, DIGEST, source, nowhere))
    assert not visible(rooms)


def test_a_mount_does_not_get_around_the_gate(tmp_path: Path) -> None:
    """A blob that is withheld from the caller is not linked where it could be read."""
    gate = GateOfTests()
    with open_rooms(tmp_path, gate) as rooms:
        rooms.run(rooms.push_blob(CONTENT))
        gate.refused.add(DIGEST)
        assert not rooms.run(rooms.blobs.mount(PUSHER, OTHER, DIGEST, REPOSITORY, anywhere))


def test_a_deleted_blob_is_unknown_here_only(rooms: OpenRooms) -> None:
    """Another repository that holds it keeps it."""
    for repository in (REPOSITORY, OTHER):
        rooms.run(rooms.push_blob(CONTENT, repository))
    rooms.run(rooms.blobs.delete(REPOSITORY, DIGEST))
    assert [visible(rooms, name) for name in (REPOSITORY, OTHER)] == [False, True]


def test_deleting_an_unknown_blob_says_so(rooms: OpenRooms) -> None:
    """Also when another repository holds it."""
    rooms.run(rooms.push_blob(CONTENT, OTHER))
    with pytest.raises(BlobUnknown):
        rooms.run(rooms.blobs.delete(REPOSITORY, DIGEST))


def test_a_blob_in_use_is_not_deleted(rooms: OpenRooms) -> None:
    """The refusal names the manifest; without that, the blob goes."""
    pushed = rooms.run(rooms.push_image(Tag("v1"), [CONTENT]))
    with pytest.raises(Unsupported, match=pushed.digest):
        rooms.run(rooms.blobs.delete(REPOSITORY, DIGEST))
    rooms.run(rooms.manifests.delete(REPOSITORY, pushed.digest))
    rooms.run(rooms.blobs.delete(REPOSITORY, DIGEST))
    assert not visible(rooms, REPOSITORY)


def test_deletes_can_be_switched_off(rooms: OpenRooms) -> None:
    """Then they are unsupported, and the blob stays."""
    rooms.run(rooms.push_blob(CONTENT))
    rooms.configure(manifests={"deletes": False})
    with pytest.raises(Unsupported, match=r"manifests\.deletes"):
        rooms.run(rooms.blobs.delete(REPOSITORY, DIGEST))
    assert visible(rooms, REPOSITORY)


def test_a_deleted_blob_can_be_pushed_again(rooms: OpenRooms) -> None:
    """As if it had never been there."""
    for _ in range(2):
        rooms.run(rooms.push_blob(CONTENT))
        assert visible(rooms, REPOSITORY)
        rooms.run(rooms.blobs.delete(REPOSITORY, DIGEST))
