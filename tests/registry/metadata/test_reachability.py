"""Which manifests reach a blob: directly and through indexes, in one repository."""

from registry.metadata.reachability import manifests_reaching
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from tests.registry.open_services import OTHER, REPOSITORY, OpenServices, image, index


def reaching(services: OpenServices, content: bytes, repository: RepositoryName = REPOSITORY) -> list[Digest]:
    """The manifests that reach some content, sorted."""
    return sorted(services.run(services.metadata.read(manifests_reaching, repository, Digest.of(content))))


def test_an_image_reaches_its_config_and_layers(services: OpenServices) -> None:
    """And nothing reaches a blob that nobody names."""
    services.run(services.push_image(Tag("v1")))
    services.run(services.push_blob(b"orphan"))
    found = [reaching(services, content) for content in (b"{}", b"layer", b"orphan")]
    assert found == [[Digest.of(image())], [Digest.of(image())], []]


def test_an_index_reaches_through_its_manifests(services: OpenServices) -> None:
    """At any depth, each manifest once."""
    services.run(services.push_image())
    inner, outer = index(image()), index(image(), index(image()))
    for raw in (inner, outer):
        services.run(services.push_manifest(raw))
    assert reaching(services, b"layer") == sorted(map(Digest.of, (image(), inner, outer)))


def test_other_repositories_do_not_count(services: OpenServices) -> None:
    """Each repository stands for itself."""
    services.run(services.push_image(Tag("v1")))
    services.run(services.push_blob(b"layer", OTHER))
    assert reaching(services, b"layer", OTHER) == []


def test_a_deleted_manifest_reaches_nothing(services: OpenServices) -> None:
    """Its references go with it."""
    services.run(services.push_image(Tag("v1")))
    services.run(services.manifests.delete(REPOSITORY, Digest.of(image())))
    assert reaching(services, b"layer") == []


def test_a_layer_that_stands_twice_is_no_trouble(services: OpenServices) -> None:
    """The manifest is told once."""
    services.run(services.push_image(Tag("v1"), [b"layer", b"layer"]))
    assert reaching(services, b"layer") == [Digest.of(image([b"layer", b"layer"]))]
