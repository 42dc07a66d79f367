"""A HEAD by who may push makes a blob young: the push that follows must not find it collected."""

from registry.auth.actions import Role
from registry.auth.principals import Principal
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.registry.ageing import age
from tests.registry.open_rooms import PUSHER, REPOSITORY, OpenRooms, image

READER = Principal("22222222-2222-4222-8222-222222222222", "reader", Role.ACR_PULL)


def test_what_a_pusher_was_told_of_outlives_the_next_collection(rooms: OpenRooms) -> None:
    """The manifest that names it is taken."""
    for content in (b"{}", b"layer"):
        rooms.run(rooms.push_blob(content))
    age(rooms)
    for content in (b"{}", b"layer"):
        rooms.run(rooms.blobs.look(PUSHER, REPOSITORY, Digest.of(content)))
    rooms.run(rooms.collector.run())
    assert rooms.run(rooms.push_manifest(image(), Tag("v1"))).digest


def test_a_reader_keeps_nothing(rooms: OpenRooms) -> None:
    """It will name nothing."""
    digest = rooms.run(rooms.push_blob(b"layer"))
    age(rooms)
    rooms.run(rooms.blobs.look(READER, REPOSITORY, digest))
    assert rooms.run(rooms.collector.run()).blobs == 1


def test_a_young_blob_is_not_written_again(rooms: OpenRooms) -> None:
    """Asking costs no sync."""
    digest = rooms.run(rooms.push_blob(b"layer"))
    before = rooms.metadata.generation()
    rooms.run(rooms.blobs.look(PUSHER, REPOSITORY, digest))
    assert rooms.metadata.generation() == before
