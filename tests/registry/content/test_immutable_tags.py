"""Immutable tags: once set, they do not move."""

import pytest

from registry.metadata.manifests import content
from registry.oci.errors import Denied
from registry.oci.names import Tag
from tests.registry.open_services import OTHER, PUSHER, REPOSITORY, OpenServices

FROZEN = [{"repositories": ["team/a*"], "tags": ["v*", "release"]}]


def test_a_frozen_tag_does_not_move(services: OpenServices) -> None:
    """The refusal names the tag; it points where it did."""
    services.configure(immutable_tags=FROZEN)
    first = services.run(services.push_image(Tag("v1")))
    with pytest.raises(Denied, match="team/app:v1 is immutable") as caught:
        services.run(services.push_image(Tag("v1"), [b"other"]))
    assert caught.value.detail == {"tag": "v1", "digest": first.digest}


def test_the_same_manifest_can_be_pushed_again(services: OpenServices) -> None:
    """A repeated push is no move."""
    services.configure(immutable_tags=FROZEN)
    for _ in range(2):
        services.run(services.push_image(Tag("release")))


def test_other_tags_and_repositories_move(services: OpenServices) -> None:
    """Only what both patterns match is frozen."""
    services.configure(immutable_tags=FROZEN)
    for layer in (b"first", b"second"):
        services.run(services.push_image(Tag("latest"), [layer]))
        services.run(services.push_image(Tag("v1"), [layer], OTHER))


def test_nothing_of_a_refused_push_is_recorded(services: OpenServices) -> None:
    """With one frozen tag among several, none is set."""
    services.configure(immutable_tags=FROZEN)
    services.run(services.push_image(Tag("v1")))
    second = services.run(services.push_image(Tag("other"), [b"second"]))
    raw = services.run(services.metadata.read(content, REPOSITORY, second.digest))
    assert raw is not None
    with pytest.raises(Denied):
        services.run(services.manifests.push(PUSHER, REPOSITORY, second.digest, raw, "", (Tag("n"), Tag("v1"))))
    assert services.run(services.tag_names()) == ("other", "v1")


@pytest.mark.parametrize("by_tag", [True, False])
def test_a_frozen_tag_does_not_go(services: OpenServices, *, by_tag: bool) -> None:
    """Nor does the manifest that it points at; a push after that would be a move."""
    services.configure(immutable_tags=FROZEN)
    made = services.run(services.push_image(Tag("v1")))
    with pytest.raises(Denied, match="team/app:v1 is immutable and keeps"):
        services.run(services.manifests.delete(REPOSITORY, Tag("v1") if by_tag else made.digest))
    assert services.run(services.tag_names()) == ("v1",)


def test_other_tags_go(services: OpenServices) -> None:
    """Also those of the same manifest."""
    services.configure(immutable_tags=FROZEN)
    for tag in ("v1", "latest"):
        services.run(services.push_image(Tag(tag)))
    services.run(services.manifests.delete(REPOSITORY, Tag("latest")))
    assert services.run(services.tag_names()) == ("v1",)


def test_a_tag_that_is_frozen_no_more_goes(services: OpenServices) -> None:
    """The setting is the way to be rid of one, as unlocking is in ACR."""
    services.configure(immutable_tags=FROZEN)
    services.run(services.push_image(Tag("v1")))
    services.configure(immutable_tags=[])
    services.run(services.manifests.delete(REPOSITORY, Tag("v1")))
    assert services.run(services.tag_names()) == ()
