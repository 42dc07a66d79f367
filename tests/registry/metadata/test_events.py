"""Events: one for each change, in the transaction of the change."""

import pytest
from sqlalchemy import Connection, select

from registry.metadata.events import forget_before
from registry.metadata.tables import events
from registry.oci.digest import Digest
from registry.oci.errors import ManifestBlobUnknown
from registry.oci.names import Tag
from tests.registry.open_rooms import OTHER, PUSHER, REPOSITORY, OpenRooms, image

MANIFEST, LAYER = Digest.of(image()), Digest.of(b"layer")


def told(rooms: OpenRooms) -> list[tuple[str, str, str]]:
    """Kind, digest and tag of all events, oldest first."""

    def query(connection: Connection) -> list[tuple[str, str, str]]:
        columns = (events.c.kind, events.c.digest, events.c.tag)
        return [(row[0], row[1], row[2]) for row in connection.execute(select(*columns).order_by(events.c.id))]

    return rooms.run(rooms.metadata.read(query))


def test_a_push_is_told(rooms: OpenRooms) -> None:
    """Blobs, manifest, tag."""
    rooms.run(rooms.push_image(Tag("v1")))
    assert told(rooms) == [
        ("blob.pushed", Digest.of(b"{}"), ""),
        ("blob.pushed", LAYER, ""),
        ("manifest.pushed", MANIFEST, ""),
        ("tag.set", MANIFEST, "v1"),
    ]


def test_a_tag_that_stays_is_not_told(rooms: OpenRooms) -> None:
    """A repeated push sets nothing."""
    for _ in range(2):
        rooms.run(rooms.push_image(Tag("v1")))
    assert [event for event in told(rooms) if event[0] == "tag.set"] == [("tag.set", MANIFEST, "v1")]


def test_a_delete_is_told_with_its_consequences(rooms: OpenRooms) -> None:
    """The tags that vanish, the manifest, the blob."""
    rooms.run(rooms.push_image(Tag("v1")))
    rooms.run(rooms.manifests.delete(REPOSITORY, MANIFEST))
    rooms.run(rooms.blobs.delete(REPOSITORY, LAYER))
    assert told(rooms)[-3:] == [
        ("tag.deleted", MANIFEST, "v1"),
        ("manifest.deleted", MANIFEST, ""),
        ("blob.deleted", LAYER, ""),
    ]


def test_a_mount_is_told(rooms: OpenRooms) -> None:
    """In the target."""
    rooms.run(rooms.push_blob(b"layer"))
    rooms.run(rooms.blobs.mount(PUSHER, OTHER, LAYER, REPOSITORY, lambda _name: True))
    assert told(rooms)[-1] == ("blob.mounted", LAYER, "")


def test_a_refused_push_is_not_told(rooms: OpenRooms) -> None:
    """Nothing happened."""
    with pytest.raises(ManifestBlobUnknown):
        rooms.run(rooms.push_manifest(image(), Tag("v1")))
    assert told(rooms) == []


def test_old_events_can_be_forgotten(rooms: OpenRooms) -> None:
    """Those before a time."""
    rooms.run(rooms.push_blob(b"layer"))
    assert rooms.run(rooms.metadata.write(forget_before, 0.0)) == 0
    assert rooms.run(rooms.metadata.write(forget_before, 1e12)) == 1
