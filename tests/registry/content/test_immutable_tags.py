"""Immutable tags: once set, they do not move."""

import pytest

from registry.metadata.manifests import content
from registry.oci.errors import Denied
from registry.oci.names import Tag
from tests.registry.open_rooms import OTHER, PUSHER, REPOSITORY, OpenRooms

FROZEN = [{"repositories": ["team/a*"], "tags": ["v*", "release"]}]


def test_a_frozen_tag_does_not_move(rooms: OpenRooms) -> None:
    """The refusal names the tag; it points where it did."""
    rooms.configure(immutable_tags=FROZEN)
    first = rooms.run(rooms.push_image(Tag("v1")))
    with pytest.raises(Denied, match="team/app:v1 is immutable") as caught:
        rooms.run(rooms.push_image(Tag("v1"), [b"other"]))
    assert caught.value.detail == {"tag": "v1", "digest": first.digest}


def test_the_same_manifest_can_be_pushed_again(rooms: OpenRooms) -> None:
    """A repeated push is no move."""
    rooms.configure(immutable_tags=FROZEN)
    for _ in range(2):
        rooms.run(rooms.push_image(Tag("release")))


def test_other_tags_and_repositories_move(rooms: OpenRooms) -> None:
    """Only what both patterns match is frozen."""
    rooms.configure(immutable_tags=FROZEN)
    for layer in (b"first", b"second"):
        rooms.run(rooms.push_image(Tag("latest"), [layer]))
        rooms.run(rooms.push_image(Tag("v1"), [layer], OTHER))


def test_nothing_of_a_refused_push_is_recorded(rooms: OpenRooms) -> None:
    """With one frozen tag among several, none is set."""
    rooms.configure(immutable_tags=FROZEN)
    rooms.run(rooms.push_image(Tag("v1")))
    second = rooms.run(rooms.push_image(Tag("other"), [b"second"]))
    raw = rooms.run(rooms.metadata.read(content, REPOSITORY, second.digest))
    assert raw is not None
    with pytest.raises(Denied):
        rooms.run(rooms.manifests.push(PUSHER, REPOSITORY, second.digest, raw, "", (Tag("n"), Tag("v1"))))
    assert rooms.run(rooms.tag_names()) == ("other", "v1")


@pytest.mark.parametrize("by_tag", [True, False])
def test_a_frozen_tag_does_not_go(rooms: OpenRooms, *, by_tag: bool) -> None:
    """Nor does the manifest that it points at; a push after that would be a move."""
    rooms.configure(immutable_tags=FROZEN)
    made = rooms.run(rooms.push_image(Tag("v1")))
    with pytest.raises(Denied, match="team/app:v1 is immutable and keeps"):
        rooms.run(rooms.manifests.delete(REPOSITORY, Tag("v1") if by_tag else made.digest))
    assert rooms.run(rooms.tag_names()) == ("v1",)


def test_other_tags_go(rooms: OpenRooms) -> None:
    """Also those of the same manifest."""
    rooms.configure(immutable_tags=FROZEN)
    for tag in ("v1", "latest"):
        rooms.run(rooms.push_image(Tag(tag)))
    rooms.run(rooms.manifests.delete(REPOSITORY, Tag("latest")))
    assert rooms.run(rooms.tag_names()) == ("v1",)


def test_a_tag_that_is_frozen_no_more_goes(rooms: OpenRooms) -> None:
    """The setting is the way to be rid of one, as unlocking is in ACR."""
    rooms.configure(immutable_tags=FROZEN)
    rooms.run(rooms.push_image(Tag("v1")))
    rooms.configure(immutable_tags=[])
    rooms.run(rooms.manifests.delete(REPOSITORY, Tag("v1")))
    assert rooms.run(rooms.tag_names()) == ()
