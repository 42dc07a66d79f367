"""What a repository holds of some digests, few or many."""

import pytest

from registry.metadata import blobs, manifests, referrers
from registry.metadata.unknown_content import in_order, unknown_content
from registry.oci.digest import Digest
from tests.registry.open_services import OTHER, REPOSITORY, OpenServices, image, index

ABSENT = [Digest.of(str(number).encode()) for number in range(1_200)]


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 499, 500, 1_200])
def test_present_content_is_found_among_absent(services: OpenServices, count: int) -> None:
    """Blobs and manifests each among their own, of this repository alone."""
    blob = services.run(services.push_blob(b"here"))
    manifest = services.run(services.push_image(None)).digest
    asked = [*ABSENT[:count], blob, manifest]
    read = services.metadata.read
    assert services.run(read(blobs.present, 1, asked)) == {blob}
    assert services.run(read(manifests.present, 1, asked)) == {manifest}
    assert services.run(read(blobs.present, 2, asked)) == set()


@pytest.mark.parametrize("count", [0, 1, 50, 51, 500, 1_200])
def test_sizes_are_told_of_what_is_there(services: OpenServices, count: int) -> None:
    """Of few and of many, each with its own."""
    held = {services.run(services.push_blob(content)): len(content) for content in (b"one", b"three")}
    asked = [*held, *ABSENT[:count]]
    assert services.run(services.metadata.read(blobs.sizes_of, REPOSITORY, asked)) == held
    assert services.run(services.metadata.read(blobs.sizes_of, OTHER, asked)) == {}


def test_what_is_not_there_is_not_known_to_be_without_layers(services: OpenServices) -> None:
    """Nor is an index, nor an image that has one: who remembers the others need not look at them again."""
    plain = services.run(services.push_image(None)).digest
    whole = services.run(services.push_manifest(index(image()))).digest
    asked = [*ABSENT[:600], plain, whole]

    def without(media_type: str) -> set[Digest]:
        return services.run(services.metadata.read(referrers.without_layers_of, REPOSITORY, asked, media_type))

    assert (without("application/vnd.other"), without("application/vnd.oci.image.layer")) == ({plain}, set())


def test_an_error_names_the_first_of_many_in_order() -> None:
    """And counts the others."""
    found = in_order(ABSENT)
    assert found[:100] == sorted(ABSENT)[:100]
    assert sorted(found) == sorted(ABSENT)
    assert f"{min(ABSENT)} and 1199 more" in unknown_content(found, "").message
