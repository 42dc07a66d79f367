"""Quotas: how many bytes a repository may hold."""

import pytest

from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown, QuotaExceeded
from registry.oci.names import Tag
from tests.registry.open_rooms import OTHER, PUSHER, REPOSITORY, OpenRooms, image

QUOTAS = [{"repositories": ["team/app"], "bytes": 1000}]


def held(rooms: OpenRooms, digest: Digest) -> bool:
    """Whether the repository shows a blob."""
    try:
        rooms.run(rooms.blobs.pull(PUSHER, REPOSITORY, digest))
    except BlobUnknown:
        return False
    return True


def test_an_upload_past_the_quota_is_refused(rooms: OpenRooms) -> None:
    """The refusal gives the numbers, and the blob is not there."""
    rooms.configure(quotas=QUOTAS)
    rooms.run(rooms.push_blob(b"a" * 600))
    with pytest.raises(QuotaExceeded, match="1200 bytes, its quota is 1000") as caught:
        rooms.run(rooms.push_blob(b"b" * 600))
    assert caught.value.detail == {"bytes": 1200, "quota": 1000}
    assert not held(rooms, Digest.of(b"b" * 600))


def test_a_declared_size_past_the_quota_is_refused_at_the_start(rooms: OpenRooms) -> None:
    """No byte has to be sent for that."""
    rooms.configure(quotas=QUOTAS)
    with pytest.raises(QuotaExceeded):
        rooms.run(rooms.uploads.start(REPOSITORY, PUSHER, size=1001))


def test_the_quota_may_be_used_up_exactly(rooms: OpenRooms) -> None:
    """Its last byte can be used."""
    rooms.configure(quotas=QUOTAS)
    assert rooms.run(rooms.push_blob(b"a" * 1000))


def test_a_blob_counts_once(rooms: OpenRooms) -> None:
    """Pushing it again needs no room."""
    rooms.configure(quotas=QUOTAS)
    for _ in range(3):
        rooms.run(rooms.push_blob(b"a" * 600))


def test_a_mount_past_the_quota_is_refused(rooms: OpenRooms) -> None:
    """Mounted bytes count like uploaded ones."""
    rooms.configure(quotas=QUOTAS)
    digest = rooms.run(rooms.push_blob(b"a" * 1001, OTHER))
    with pytest.raises(QuotaExceeded):
        rooms.run(rooms.blobs.mount(PUSHER, REPOSITORY, digest, OTHER, lambda _name: True))
    assert not held(rooms, digest)


def test_a_manifest_past_the_quota_is_refused(rooms: OpenRooms) -> None:
    """Manifests count as well."""
    rooms.run(rooms.push_image(Tag("v1")))
    rooms.configure(quotas=QUOTAS)
    with pytest.raises(QuotaExceeded):
        rooms.run(rooms.push_manifest(image(annotations={"long": "x" * 1000}), Tag("v2")))
    assert rooms.run(rooms.tag_names()) == ("v1",)


def test_other_repositories_have_no_quota(rooms: OpenRooms) -> None:
    """Only those that a pattern matches."""
    rooms.configure(quotas=QUOTAS)
    assert rooms.run(rooms.push_blob(b"a" * 5000, OTHER))


def test_the_first_matching_quota_counts(rooms: OpenRooms) -> None:
    """A narrow one before a wide one."""
    rooms.configure(quotas=[*QUOTAS, {"repositories": ["*"], "bytes": 10}])
    assert rooms.run(rooms.push_blob(b"a" * 600))
    with pytest.raises(QuotaExceeded):
        rooms.run(rooms.push_blob(b"a" * 600, OTHER))
