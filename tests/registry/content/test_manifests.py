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
from tests.registry.open_services import (
    OTHER,
    PUSHER,
    REPOSITORY,
    OpenServices,
    descriptor,
    image,
    index,
    open_services,
)

V1, V2 = Tag("v1"), Tag("v2")


def pulled(services: OpenServices, reference: Reference, repository: RepositoryName = REPOSITORY) -> bytes:
    """The bytes a pull gives."""
    return services.run(services.manifests.pull(PUSHER, repository, reference)).raw


def outcome(
    services: OpenServices, reference: Reference, repository: RepositoryName = REPOSITORY
) -> type[OciError] | None:
    """The error of a pull, or `None` when it succeeds."""
    try:
        pulled(services, reference, repository)
    except OciError as error:
        return type(error)
    return None


def test_the_exact_bytes_come_back(services: OpenServices) -> None:
    """By tag and by digest, white space and all."""
    raw = image().replace(b",", b" ,\n ")
    services.run(services.push_image(V1))
    pushed = services.run(services.push_manifest(raw, V2))
    assert (pulled(services, V2), pulled(services, pushed.digest)) == (raw, raw)


def test_the_media_type_comes_back(services: OpenServices) -> None:
    """As it was pushed."""
    services.run(services.push_image(V1))
    assert services.run(services.manifests.pull(PUSHER, REPOSITORY, V1)).media_type == media_types.OCI_MANIFEST


@pytest.mark.parametrize("cold", [False, True])
def test_a_moved_tag_gives_the_new_manifest(services: OpenServices, cold: bool) -> None:
    """Whether the old one was read before or not; the old one stays under its digest."""
    first = services.run(services.push_image(V1))
    if not cold:
        pulled(services, V1)
    second = services.run(services.push_image(V1, [b"other layer"]))
    assert services.run(services.manifests.pull(PUSHER, REPOSITORY, V1)).digest == second.digest
    assert outcome(services, first.digest) is None


def test_a_tag_moved_by_another_process_is_followed(services: OpenServices) -> None:
    """Within a second, although the old answer was cached."""
    services.run(services.push_image(V1))
    pulled(services, V1)
    with services.beside() as beside:
        second = beside.run(beside.push_image(V1, [b"other layer"]))
    services.run(asyncio.sleep(1))
    assert services.run(services.manifests.pull(PUSHER, REPOSITORY, V1)).digest == second.digest


def test_a_manifest_is_unknown_elsewhere(services: OpenServices) -> None:
    """No other repository shows it, and a repository that does not exist says that."""
    pushed = services.run(services.push_image(V1))
    services.run(services.push_blob(b"something", OTHER))
    assert [outcome(services, reference, OTHER) for reference in (V1, pushed.digest)] == [ManifestUnknown] * 2
    assert outcome(services, V1, RepositoryName("absent")) is NameUnknown


def test_a_digest_in_the_path_must_agree(services: OpenServices) -> None:
    """Otherwise nothing is recorded."""
    services.run(services.push_image(V1))
    with pytest.raises(DigestInvalid):
        services.run(services.push_manifest(image(), Digest.of(b"another")))
    assert outcome(services, Digest.of(b"another")) is ManifestUnknown


def test_sha512_references_are_answered_in_sha512(services: OpenServices) -> None:
    """By digest, and by a tag that was set with it."""
    services.run(services.push_image(V1))
    digest = Digest.of(image(), "sha512")
    services.run(services.manifests.push(PUSHER, REPOSITORY, digest, image(), "", (V2,)))
    found = [services.run(services.manifests.pull(PUSHER, REPOSITORY, reference)).digest for reference in (digest, V2)]
    assert found == [digest, digest]


def test_several_tags_are_set_at_once(services: OpenServices) -> None:
    """All of them point at the manifest."""
    services.run(services.push_image())
    tags = tuple(Tag(f"t{number}") for number in range(12))
    pushed = services.run(services.manifests.push(PUSHER, REPOSITORY, Digest.of(image()), image(), "", tags))
    assert pushed.tags == tags
    assert set(services.run(services.tag_names())) == set(tags)


def test_a_missing_layer_is_named(services: OpenServices) -> None:
    """The refusal says which, and nothing is recorded."""
    services.run(services.push_blob(b"{}"))
    with pytest.raises(ManifestBlobUnknown, match=Digest.of(b"layer")) as caught:
        services.run(services.push_manifest(image(), V1))
    assert caught.value.detail == [{"digest": Digest.of(b"layer")}]
    assert outcome(services, V1) is ManifestUnknown


def test_a_layer_of_another_repository_does_not_count(services: OpenServices) -> None:
    """It has to be mounted first."""
    services.run(services.push_image(V1, repository=OTHER))
    with pytest.raises(ManifestBlobUnknown):
        services.run(services.push_manifest(image(), V1))


@pytest.mark.parametrize("media_type", sorted(media_types.FOREIGN_LAYERS))
def test_a_foreign_layer_need_not_be_here(services: OpenServices, media_type: str) -> None:
    """It is fetched from elsewhere."""
    services.run(services.push_blob(b"{}"))
    foreign = descriptor(b"elsewhere", media_type) | {"urls": ["https://example.com/layer"]}
    services.run(services.push_manifest(image((), layers=[foreign]), V1))
    assert outcome(services, V1) is None


def test_an_index_needs_its_manifests(services: OpenServices) -> None:
    """Unless sparse indexes are accepted."""
    with pytest.raises(ManifestBlobUnknown):
        services.run(services.push_manifest(index(image()), V1))
    services.configure(manifests={"sparse_indexes": True})
    services.run(services.push_manifest(index(image()), V1))
    assert outcome(services, V1) is None


def test_an_index_of_indexes_stands(services: OpenServices) -> None:
    """Empty ones and nested ones alike."""
    for raw in (index(), index(index())):
        services.run(services.push_manifest(raw, V1))
        assert pulled(services, V1) == raw


def test_a_missing_subject_is_accepted(services: OpenServices) -> None:
    """The answer names it."""
    services.run(services.push_image(V1))
    pushed = services.run(services.push_manifest(image(subject=descriptor(b"absent"))))
    assert pushed.subject == Digest.of(b"absent")


def test_a_huge_reference_list_is_checked_whole(services: OpenServices) -> None:
    """Two thousand layers, one of them missing, is one missing layer."""
    services.run(services.push_blob(b"{}"))
    services.run(services.push_blob(b"layer"))
    with pytest.raises(ManifestBlobUnknown) as caught:
        services.run(services.push_manifest(image([b"layer"] * 2000 + [b"missing"]), V1))
    assert caught.value.detail == [{"digest": Digest.of(b"missing")}]


def test_the_gate_refuses_a_push(tmp_path: Path) -> None:
    """With its reason; nothing is recorded, not even the bytes."""
    gate = GateOfTests()
    gate.push = REFUSED
    with open_services(tmp_path, gate) as services:
        with pytest.raises(Denied, match="not cleared"):
            services.run(services.push_image(V1))
        assert outcome(services, V1) is ManifestUnknown
        assert services.run(services.metadata.read(content, REPOSITORY, Digest.of(image()))) is None


def lose_by_delete(services: OpenServices) -> None:
    """A client takes the layer away."""
    services.run(services.blobs.delete(REPOSITORY, Digest.of(b"layer")))


def lose_by_collection(services: OpenServices) -> None:
    """Nothing names the layer any more, and time has passed."""
    age(services)
    services.run(services.collector.run())


@pytest.mark.parametrize("lose", [lose_by_delete, lose_by_collection])
def test_what_is_missing_is_said_before_the_gate_is_asked(tmp_path: Path, lose: Callable[[OpenServices], None]) -> None:
    """Also where the repository held it a moment ago, when the same was pushed."""
    gate = GateOfTests()
    with open_services(tmp_path, gate) as services:
        pushed = services.run(services.push_image(V1))
        services.run(services.push_manifest(image(), V2))
        services.run(services.manifests.delete(REPOSITORY, pushed.digest))
        lose(services)
        gate.push = REFUSED
        with pytest.raises(ManifestBlobUnknown):
            services.run(services.push_manifest(image(), V1))
    assert len(gate.pushes) == 2


def test_the_gate_sees_the_whole_push(tmp_path: Path) -> None:
    """Repository, digest, bytes, tags and who pushes; its warnings reach the caller."""
    gate = GateOfTests()
    gate.push = Decision(allowed=True, warnings=["mind the gap"])
    with open_services(tmp_path, gate) as services:
        pushed = services.run(services.push_image(V1))
    push = gate.pushes[0]
    assert (push.repository, push.digest, push.raw) == (REPOSITORY, pushed.digest, image())
    assert (push.tags, push.principal, pushed.warnings) == ((V1,), PUSHER, ("mind the gap",))


def test_the_gate_withholds_a_manifest(tmp_path: Path) -> None:
    """By tag and by digest, with its reason."""
    gate = GateOfTests()
    with open_services(tmp_path, gate) as services:
        pushed = services.run(services.push_image(V1))
        gate.refused.add(pushed.digest)
        assert [outcome(services, reference) for reference in (V1, pushed.digest)] == [Denied, Denied]


def test_deleting_a_tag_takes_only_the_tag(services: OpenServices) -> None:
    """The manifest and its other tags stay."""
    pushed = services.run(services.push_image(V1))
    services.run(services.push_image(V2))
    services.run(services.manifests.delete(REPOSITORY, V1))
    assert [outcome(services, reference) for reference in (V1, V2, pushed.digest)] == [ManifestUnknown, None, None]


def test_deleting_a_manifest_takes_its_tags(services: OpenServices) -> None:
    """All of them vanish, those of other manifests stay."""
    pushed = services.run(services.push_image(V1))
    services.run(services.push_image(V2))
    services.run(services.push_image(Tag("other"), [b"other"]))
    services.run(services.manifests.delete(REPOSITORY, pushed.digest))
    assert [outcome(services, reference) for reference in (V1, V2, pushed.digest)] == [ManifestUnknown] * 3
    assert services.run(services.tag_names()) == ("other",)


def test_deleting_what_is_not_there_says_so(services: OpenServices) -> None:
    """An unknown tag, digest or repository."""
    services.run(services.push_blob(b"x"))
    for reference in (V1, Digest.of(b"absent")):
        with pytest.raises(ManifestUnknown):
            services.run(services.manifests.delete(REPOSITORY, reference))
        with pytest.raises(NameUnknown):
            services.run(services.manifests.delete(OTHER, reference))


def test_deletes_can_be_switched_off(services: OpenServices) -> None:
    """Then they are unsupported."""
    services.run(services.push_image(V1))
    services.configure(manifests={"deletes": False})
    with pytest.raises(Unsupported, match=r"manifests\.deletes"):
        services.run(services.manifests.delete(REPOSITORY, V1))


def test_a_deleted_manifest_can_be_pushed_again(services: OpenServices) -> None:
    """As if it had never been there."""
    for _ in range(2):
        pushed = services.run(services.push_image(V1))
        assert outcome(services, V1) is None
        services.run(services.manifests.delete(REPOSITORY, pushed.digest))


def let_go_of_bytes(connection: Connection) -> None:
    """Make every manifest one of an earlier basegate, which kept their bytes in the blob store."""
    connection.execute(update(manifest_rows).values(content=None))


def test_lost_bytes_are_not_passed_over_in_silence(services: OpenServices) -> None:
    """A row without its bytes: unknown, so that a client pushes it again, and told to whoever watches."""
    services.run(services.push_image(V1))
    services.run(services.metadata.write(let_go_of_bytes))
    with services.beside() as restarted:
        assert outcome(restarted, V1) is ManifestUnknown
        assert [item.is_manifest for item in restarted.storage.quarantine.held()] == [True]


def test_bytes_in_the_blob_store_are_found(services: OpenServices) -> None:
    """A manifest that an earlier basegate has recorded is pulled as before, and outlives a collection."""
    services.run(services.push_image(V1))
    services.run(services.metadata.write(let_go_of_bytes))
    services.run(services.storage.put(Digest.of(image()), image()))
    age(services)
    services.run(services.collector.run())
    with services.beside() as restarted:
        assert restarted.run(restarted.manifests.pull(PUSHER, REPOSITORY, V1)).raw == image()


def test_a_second_push_brings_the_bytes_to_the_row(services: OpenServices) -> None:
    """Then the blob store is not asked any more."""
    services.run(services.push_image(V1))
    services.run(services.metadata.write(let_go_of_bytes))
    services.run(services.push_image(V1))
    assert services.run(services.metadata.read(content, REPOSITORY, Digest.of(image()))) == image()
