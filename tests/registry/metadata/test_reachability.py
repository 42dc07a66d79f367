"""Which manifests reach a blob: directly and through indexes, in one repository."""

from registry.metadata.reachability import manifests_reaching
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from tests.registry.open_rooms import OTHER, REPOSITORY, OpenRooms, image, index


def reaching(rooms: OpenRooms, content: bytes, repository: RepositoryName = REPOSITORY) -> list[Digest]:
    """The manifests that reach some content, sorted."""
    return sorted(rooms.run(rooms.metadata.read(manifests_reaching, repository, Digest.of(content))))


def test_an_image_reaches_its_config_and_layers(rooms: OpenRooms) -> None:
    """And nothing reaches a blob that nobody names."""
    rooms.run(rooms.push_image(Tag("v1")))
    rooms.run(rooms.push_blob(b"orphan"))
    found = [reaching(rooms, content) for content in (b"{}", b"layer", b"orphan")]
    assert found == [[Digest.of(image())], [Digest.of(image())], []]


def test_an_index_reaches_through_its_manifests(rooms: OpenRooms) -> None:
    """At any depth, each manifest once."""
    rooms.run(rooms.push_image())
    inner, outer = index(image()), index(image(), index(image()))
    for raw in (inner, outer):
        rooms.run(rooms.push_manifest(raw))
    assert reaching(rooms, b"layer") == sorted(map(Digest.of, (image(), inner, outer)))


def test_other_repositories_do_not_count(rooms: OpenRooms) -> None:
    """Each repository stands for itself."""
    rooms.run(rooms.push_image(Tag("v1")))
    rooms.run(rooms.push_blob(b"layer", OTHER))
    assert reaching(rooms, b"layer", OTHER) == []


def test_a_deleted_manifest_reaches_nothing(rooms: OpenRooms) -> None:
    """Its references go with it."""
    rooms.run(rooms.push_image(Tag("v1")))
    rooms.run(rooms.manifests.delete(REPOSITORY, Digest.of(image())))
    assert reaching(rooms, b"layer") == []


def test_a_layer_that_stands_twice_is_no_trouble(rooms: OpenRooms) -> None:
    """The manifest is told once."""
    rooms.run(rooms.push_image(Tag("v1"), [b"layer", b"layer"]))
    assert reaching(rooms, b"layer") == [Digest.of(image([b"layer", b"layer"]))]
