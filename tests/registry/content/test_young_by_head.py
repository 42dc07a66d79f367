"""A HEAD by who may push makes a blob young: the push that follows must not find it collected."""

from registry.auth.actions import Role
from registry.auth.principals import Principal
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.registry.ageing import age
from tests.registry.open_services import PUSHER, REPOSITORY, OpenServices, image

READER = Principal("22222222-2222-4222-8222-222222222222", "reader", Role.ACR_PULL)


def test_what_a_pusher_was_told_of_outlives_the_next_collection(services: OpenServices) -> None:
    """The manifest that names it is taken."""
    for content in (b"{}", b"layer"):
        services.run(services.push_blob(content))
    age(services)
    for content in (b"{}", b"layer"):
        services.run(services.blobs.head(PUSHER, REPOSITORY, Digest.of(content)))
    services.run(services.collector.run())
    assert services.run(services.push_manifest(image(), Tag("v1"))).digest


def test_a_reader_keeps_nothing(services: OpenServices) -> None:
    """It will name nothing."""
    digest = services.run(services.push_blob(b"layer"))
    age(services)
    services.run(services.blobs.head(READER, REPOSITORY, digest))
    assert services.run(services.collector.run()).blobs == 1


def test_a_young_blob_is_not_written_again(services: OpenServices) -> None:
    """Asking costs no sync."""
    digest = services.run(services.push_blob(b"layer"))
    before = services.metadata.generation()
    services.run(services.blobs.head(PUSHER, REPOSITORY, digest))
    assert services.metadata.generation() == before
