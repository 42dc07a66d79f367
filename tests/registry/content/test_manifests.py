"""Manifests: what may stand, what comes back, what goes with what."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from registry.gate import Decision
from registry.metadata.manifests import content
from registry.metadata.tables import manifests as manifest_rows
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.errors import (
    Denied,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestUnknown,
    NameUnknown,
    OciError,
    Unsupported,
)
from registry.oci.names import Reference, RepositoryName, Tag
from tests.registry.ageing import age
from tests.registry.gates import REFUSED, GateOfTests
from tests.registry.open_rooms import (
    OTHER,
    PUSHER,
    REPOSITORY,
    OpenRooms,
    descriptor,
    image,
    index,
    open_rooms,
)

V1, V2 = Tag("v1"), Tag("v2")


def pulled(rooms: OpenRooms, reference: Reference, repository: RepositoryName = REPOSITORY) -> bytes:
    """The bytes a pull gives."""
    return rooms.run(rooms.manifests.pull(PUSHER, repository, reference)).raw


def outcome(rooms: OpenRooms, reference: Reference, repository: RepositoryName = REPOSITORY) -> type[OciError] | None:
    """The error of a pull, or `None` when it succeeds."""
    try:
        pulled(rooms, reference, repository)
    except OciError as error:
        return type(error)
    return None


def test_the_exact_bytes_come_back(rooms: OpenRooms) -> None:
    """By tag and by digest, white space and all."""
    raw = image().replace(b",", b" ,\n ")
    rooms.run(rooms.push_image(V1))
    pushed = rooms.run(rooms.push_manifest(raw, V2))
    assert (pulled(rooms, V2), pulled(rooms, pushed.digest)) == (raw, raw)


def test_the_media_type_comes_back(rooms: OpenRooms) -> None:
    """As it was pushed."""
    rooms.run(rooms.push_image(V1))
    assert rooms.run(rooms.manifests.pull(PUSHER, REPOSITORY, V1)).media_type == media_types.OCI_MANIFEST


@pytest.mark.parametrize("cold", [False, True])
def test_a_moved_tag_gives_the_new_manifest(rooms: OpenRooms, cold: bool) -> None:
    """Whether the old one was read before or not; the old one stays under its digest."""
    first = rooms.run(rooms.push_image(V1))
    if not cold:
        pulled(rooms, V1)
    second = rooms.run(rooms.push_image(V1, [b"other layer"]))
    assert rooms.run(rooms.manifests.pull(PUSHER, REPOSITORY, V1)).digest == second.digest
    assert outcome(rooms, first.digest) is None


def test_a_tag_moved_by_another_process_is_followed(rooms: OpenRooms) -> None:
    """Within a second, although the old answer was cached."""
    rooms.run(rooms.push_image(V1))
    pulled(rooms, V1)
    with open_rooms(rooms.data) as beside:
        second = beside.run(beside.push_image(V1, [b"other layer"]))
    rooms.run(asyncio.sleep(1))
    assert rooms.run(rooms.manifests.pull(PUSHER, REPOSITORY, V1)).digest == second.digest


def test_a_manifest_is_unknown_elsewhere(rooms: OpenRooms) -> None:
    """No other repository shows it, and a repository that does not exist says that."""
    pushed = rooms.run(rooms.push_image(V1))
    rooms.run(rooms.push_blob(b"something", OTHER))
    assert [outcome(rooms, reference, OTHER) for reference in (V1, pushed.digest)] == [ManifestUnknown] * 2
    assert outcome(rooms, V1, RepositoryName("absent")) is NameUnknown


def test_a_digest_in_the_path_must_agree(rooms: OpenRooms) -> None:
    """Otherwise nothing is recorded."""
    rooms.run(rooms.push_image(V1))
    with pytest.raises(DigestInvalid):
        rooms.run(rooms.push_manifest(image(), Digest.of(b"another")))
    assert outcome(rooms, Digest.of(b"another")) is ManifestUnknown


def test_sha512_references_are_answered_in_sha512(rooms: OpenRooms) -> None:
    """By digest, and by a tag that was set with it."""
    rooms.run(rooms.push_image(V1))
    digest = Digest.of(image(), "sha512")
    rooms.run(rooms.manifests.push(PUSHER, REPOSITORY, digest, image(), "", (V2,)))
    found = [rooms.run(rooms.manifests.pull(PUSHER, REPOSITORY, reference)).digest for reference in (digest, V2)]
    assert found == [digest, digest]


def test_several_tags_are_set_at_once(rooms: OpenRooms) -> None:
    """All of them point at the manifest."""
    rooms.run(rooms.push_image())
    tags = tuple(Tag(f"t{number}") for number in range(12))
    pushed = rooms.run(rooms.manifests.push(PUSHER, REPOSITORY, Digest.of(image()), image(), "", tags))
    assert pushed.tags == tags
    assert set(rooms.run(rooms.tag_names())) == set(tags)


def test_a_missing_layer_is_named(rooms: OpenRooms) -> None:
    """The refusal says which, and nothing is recorded."""
    rooms.run(rooms.push_blob(b"{}"))
    with pytest.raises(ManifestBlobUnknown, match=Digest.of(b"layer")) as caught:
        rooms.run(rooms.push_manifest(image(), V1))
    assert caught.value.detail == [{"digest": Digest.of(b"layer")}]
    assert outcome(rooms, V1) is ManifestUnknown


def test_a_layer_of_another_repository_does_not_count(rooms: OpenRooms) -> None:
    """It has to be mounted first."""
    rooms.run(rooms.push_image(V1, repository=OTHER))
    with pytest.raises(ManifestBlobUnknown):
        rooms.run(rooms.push_manifest(image(), V1))


@pytest.mark.parametrize("media_type", sorted(media_types.FOREIGN_LAYERS))
def test_a_foreign_layer_need_not_be_here(rooms: OpenRooms, media_type: str) -> None:
    """It is fetched from elsewhere."""
    rooms.run(rooms.push_blob(b"{}"))
    foreign = descriptor(b"elsewhere", media_type) | {"urls": ["https://example.com/layer"]}
    rooms.run(rooms.push_manifest(image((), layers=[foreign]), V1))
    assert outcome(rooms, V1) is None


def test_an_index_needs_its_manifests(rooms: OpenRooms) -> None:
    """Unless sparse indexes are accepted."""
    with pytest.raises(ManifestBlobUnknown):
        rooms.run(rooms.push_manifest(index(image()), V1))
    rooms.configure(manifests={"sparse_indexes": True})
    rooms.run(rooms.push_manifest(index(image()), V1))
    assert outcome(rooms, V1) is None


def test_an_index_of_indexes_stands(rooms: OpenRooms) -> None:
    """Empty ones and nested ones alike."""
    for raw in (index(), index(index())):
        rooms.run(rooms.push_manifest(raw, V1))
        assert pulled(rooms, V1) == raw


def test_a_missing_subject_is_accepted(rooms: OpenRooms) -> None:
    """The answer names it."""
    rooms.run(rooms.push_image(V1))
    pushed = rooms.run(rooms.push_manifest(image(subject=descriptor(b"absent"))))
    assert pushed.subject == Digest.of(b"absent")


def test_a_huge_reference_list_is_checked_whole(rooms: OpenRooms) -> None:
    """Two thousand layers, one of them missing, is one missing layer."""
    rooms.run(rooms.push_blob(b"{}"))
    rooms.run(rooms.push_blob(b"layer"))
    with pytest.raises(ManifestBlobUnknown) as caught:
        rooms.run(rooms.push_manifest(image([b"layer"] * 2000 + [b"missing"]), V1))
    assert caught.value.detail == [{"digest": Digest.of(b"missing")}]


def test_the_gate_refuses_a_push(tmp_path: Path) -> None:
    """With its reason; nothing is recorded, not even the bytes."""
    gate = GateOfTests()
    gate.push = REFUSED
    with open_rooms(tmp_path, gate) as rooms:
        with pytest.raises(Denied, match="not cleared"):
            rooms.run(rooms.push_image(V1))
        assert outcome(rooms, V1) is ManifestUnknown
        assert rooms.run(rooms.metadata.read(content, REPOSITORY, Digest.of(image()))) is None


def lose_by_delete(rooms: OpenRooms) -> None:
    """A client takes the layer away."""
    rooms.run(rooms.blobs.delete(REPOSITORY, Digest.of(b"layer")))


def lose_by_collection(rooms: OpenRooms) -> None:
    """Nothing names the layer any more, and time has passed."""
    age(rooms)
    rooms.run(rooms.collector.run())


@pytest.mark.parametrize("lose", [lose_by_delete, lose_by_collection])
def test_what_is_missing_is_said_before_the_gate_is_asked(tmp_path: Path, lose: Callable[[OpenRooms], None]) -> None:
    """Also where the repository held it a moment ago, when the same was pushed."""
    gate = GateOfTests()
    with open_rooms(tmp_path, gate) as rooms:
        pushed = rooms.run(rooms.push_image(V1))
        rooms.run(rooms.push_manifest(image(), V2))
        rooms.run(rooms.manifests.delete(REPOSITORY, pushed.digest))
        lose(rooms)
        gate.push = REFUSED
        with pytest.raises(ManifestBlobUnknown):
            rooms.run(rooms.push_manifest(image(), V1))
    assert len(gate.pushes) == 2


def test_the_gate_sees_the_whole_push(tmp_path: Path) -> None:
    """Repository, digest, bytes, tags and who pushes; its warnings reach the caller."""
    gate = GateOfTests()
    gate.push = Decision(allowed=True, warnings=["mind the gap"])
    with open_rooms(tmp_path, gate) as rooms:
        pushed = rooms.run(rooms.push_image(V1))
    push = gate.pushes[0]
    assert (push.repository, push.digest, push.raw) == (REPOSITORY, pushed.digest, image())
    assert (push.tags, push.principal, pushed.warnings) == ((V1,), PUSHER, ("mind the gap",))


def test_the_gate_withholds_a_manifest(tmp_path: Path) -> None:
    """By tag and by digest, with its reason."""
    gate = GateOfTests()
    with open_rooms(tmp_path, gate) as rooms:
        pushed = rooms.run(rooms.push_image(V1))
        gate.refused.add(pushed.digest)
        assert [outcome(rooms, reference) for reference in (V1, pushed.digest)] == [Denied, Denied]


def test_deleting_a_tag_takes_only_the_tag(rooms: OpenRooms) -> None:
    """The manifest and its other tags stay."""
    pushed = rooms.run(rooms.push_image(V1))
    rooms.run(rooms.push_image(V2))
    rooms.run(rooms.manifests.delete(REPOSITORY, V1))
    assert [outcome(rooms, reference) for reference in (V1, V2, pushed.digest)] == [ManifestUnknown, None, None]


def test_deleting_a_manifest_takes_its_tags(rooms: OpenRooms) -> None:
    """All of them vanish, those of other manifests stay."""
    pushed = rooms.run(rooms.push_image(V1))
    rooms.run(rooms.push_image(V2))
    rooms.run(rooms.push_image(Tag("other"), [b"other"]))
    rooms.run(rooms.manifests.delete(REPOSITORY, pushed.digest))
    assert [outcome(rooms, reference) for reference in (V1, V2, pushed.digest)] == [ManifestUnknown] * 3
    assert rooms.run(rooms.tag_names()) == ("other",)


def test_deleting_what_is_not_there_says_so(rooms: OpenRooms) -> None:
    """An unknown tag, digest or repository."""
    rooms.run(rooms.push_blob(b"x"))
    for reference in (V1, Digest.of(b"absent")):
        with pytest.raises(ManifestUnknown):
            rooms.run(rooms.manifests.delete(REPOSITORY, reference))
        with pytest.raises(NameUnknown):
            rooms.run(rooms.manifests.delete(OTHER, reference))


def test_deletes_can_be_switched_off(rooms: OpenRooms) -> None:
    """Then they are unsupported."""
    rooms.run(rooms.push_image(V1))
    rooms.configure(manifests={"deletes": False})
    with pytest.raises(Unsupported, match=r"manifests\.deletes"):
        rooms.run(rooms.manifests.delete(REPOSITORY, V1))


def test_a_deleted_manifest_can_be_pushed_again(rooms: OpenRooms) -> None:
    """As if it had never been there."""
    for _ in range(2):
        pushed = rooms.run(rooms.push_image(V1))
        assert outcome(rooms, V1) is None
        rooms.run(rooms.manifests.delete(REPOSITORY, pushed.digest))


def test_what_is_at_hand_is_told_without_waiting(rooms: OpenRooms) -> None:
    """After a pull, until something is written."""
    rooms.run(rooms.push_image(V1))
    pulled(rooms, V1)
    at_hand = rooms.manifests.at_hand(REPOSITORY, V1)
    assert at_hand is not None
    assert at_hand.raw == image()
    rooms.run(rooms.push_blob(b"something"))
    assert rooms.manifests.at_hand(REPOSITORY, V1) is None


def let_go_of_bytes(connection: Connection) -> None:
    """Make every manifest one of an earlier basegate, which kept their bytes in the blob store."""
    connection.execute(update(manifest_rows).values(content=None))


def test_lost_bytes_are_not_passed_over_in_silence(rooms: OpenRooms) -> None:
    """A row without its bytes: unknown, so that a client pushes it again, and told to whoever watches."""
    rooms.run(rooms.push_image(V1))
    rooms.run(rooms.metadata.write(let_go_of_bytes))
    with open_rooms(rooms.data) as restarted:
        assert outcome(restarted, V1) is ManifestUnknown
        assert [item.is_manifest for item in restarted.storage.quarantine.held()] == [True]


def test_bytes_in_the_blob_store_are_found(rooms: OpenRooms) -> None:
    """A manifest that an earlier basegate has recorded is pulled as before, and outlives a collection."""
    rooms.run(rooms.push_image(V1))
    rooms.run(rooms.metadata.write(let_go_of_bytes))
    rooms.run(rooms.storage.put(Digest.of(image()), image()))
    age(rooms)
    rooms.run(rooms.collector.run())
    with open_rooms(rooms.data) as restarted:
        assert restarted.run(restarted.manifests.pull(PUSHER, REPOSITORY, V1)).raw == image()


def test_a_second_push_brings_the_bytes_to_the_row(rooms: OpenRooms) -> None:
    """Then the blob store is not asked any more."""
    rooms.run(rooms.push_image(V1))
    rooms.run(rooms.metadata.write(let_go_of_bytes))
    rooms.run(rooms.push_image(V1))
    assert rooms.run(rooms.metadata.read(content, REPOSITORY, Digest.of(image()))) == image()
