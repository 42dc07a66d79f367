"""Garbage collection: what goes, what stays, and why."""

import pytest
from sqlalchemy import Connection, select

from registry.content.gc import GcPlan
from registry.metadata.tables import manifests
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.registry.ageing import HOUR, age
from tests.registry.open_rooms import (
    OTHER,
    PUSHER,
    REPOSITORY,
    OpenRooms,
    descriptor,
    image,
    index,
    open_rooms,
    pieces,
)

V1 = Tag("v1")
UNTAGGED = {"gc": {"untagged_after_seconds": int(24 * HOUR)}}


def recorded(connection: Connection) -> set[Digest]:
    """All manifests."""
    return {Digest(digest) for digest in connection.execute(select(manifests.c.digest)).scalars()}


def stored(rooms: OpenRooms) -> set[Digest]:
    """Everything in the blob store, and the manifests, which keep their bytes themselves."""

    async def listed() -> set[Digest]:
        return {blob.digest async for blob in rooms.storage.blobs()}

    return rooms.run(listed()) | rooms.run(rooms.metadata.read(recorded))


def collect(rooms: OpenRooms) -> set[Digest]:
    """Run a collection over things that are old by now; returns what is left."""
    age(rooms)
    rooms.run(rooms.collector.run())
    return stored(rooms)


def digests(*contents: bytes) -> set[Digest]:
    """Their digests."""
    return {Digest.of(content) for content in contents}


def test_an_unreferenced_blob_goes(rooms: OpenRooms) -> None:
    """Uploaded, never named by a manifest, older than the grace period."""
    rooms.run(rooms.push_blob(b"orphan"))
    assert collect(rooms) == set()


def test_a_young_blob_stays(rooms: OpenRooms) -> None:
    """Its manifest may still come."""
    rooms.run(rooms.push_blob(b"young"))
    rooms.run(rooms.collector.run())
    assert stored(rooms) == digests(b"young")


def test_a_blob_without_any_row_goes(rooms: OpenRooms) -> None:
    """What a killed upload left behind between its bytes and its row."""
    rooms.run(rooms.storage.put(Digest.of(b"left"), b"left"))
    assert collect(rooms) == set()


def test_an_image_stays(rooms: OpenRooms) -> None:
    """Manifest, configuration and layers."""
    rooms.run(rooms.push_image(V1, [b"one", b"two"]))
    assert collect(rooms) == digests(b"{}", b"one", b"two", image([b"one", b"two"]))


def test_an_untagged_image_stays_by_default(rooms: OpenRooms) -> None:
    """A digest is a reference, too."""
    rooms.run(rooms.push_image())
    assert collect(rooms) == digests(b"{}", b"layer", image())


def test_a_deleted_image_goes_but_for_what_others_use(rooms: OpenRooms) -> None:
    """A layer that another image or repository uses stays."""
    rooms.run(rooms.push_image(V1, [b"own", b"shared"]))
    rooms.run(rooms.push_image(Tag("v2"), [b"shared"]))
    rooms.run(rooms.push_image(V1, [b"elsewhere"], OTHER))
    rooms.run(rooms.manifests.delete(REPOSITORY, Digest.of(image([b"own", b"shared"]))))
    left = digests(b"{}", b"shared", b"elsewhere", image([b"shared"]), image([b"elsewhere"]))
    assert collect(rooms) == left


def test_a_mounted_blob_outlives_its_source(rooms: OpenRooms) -> None:
    """The target's manifest keeps it."""
    rooms.run(rooms.push_image(V1))
    for content in (b"{}", b"layer"):
        rooms.run(rooms.blobs.mount(PUSHER, OTHER, Digest.of(content), REPOSITORY, lambda _name: True))
    rooms.run(rooms.push_manifest(image(), V1, OTHER))
    rooms.run(rooms.manifests.delete(REPOSITORY, Digest.of(image())))
    assert collect(rooms) == digests(b"{}", b"layer", image())


def test_untagged_manifests_go_when_asked_to(rooms: OpenRooms) -> None:
    """And what only they used, in the same run."""
    rooms.configure(**UNTAGGED)
    rooms.run(rooms.push_image(None, [b"old"]))
    rooms.run(rooms.push_image(V1, [b"kept"]))
    assert collect(rooms) == digests(b"{}", b"kept", image([b"kept"]))


def test_an_index_keeps_its_manifests(rooms: OpenRooms) -> None:
    """Although they have no tag; with it, they go."""
    rooms.configure(**UNTAGGED)
    rooms.run(rooms.push_image())
    rooms.run(rooms.push_manifest(index(image()), V1))
    assert collect(rooms) == digests(b"{}", b"layer", image(), index(image()))
    rooms.run(rooms.manifests.delete(REPOSITORY, V1))
    assert collect(rooms) == set()


def test_a_subject_keeps_its_referrers(rooms: OpenRooms) -> None:
    """As long as it is there itself."""
    rooms.configure(**UNTAGGED)
    rooms.run(rooms.push_image(V1))
    signature = image((), subject=descriptor(image()))
    rooms.run(rooms.push_manifest(signature))
    assert Digest.of(signature) in collect(rooms)
    rooms.run(rooms.manifests.delete(REPOSITORY, Digest.of(image())))
    assert collect(rooms) == set()


def test_abandoned_uploads_go(rooms: OpenRooms) -> None:
    """Those that got no byte for too long."""
    session = rooms.run(rooms.uploads.start(REPOSITORY, PUSHER))
    rooms.run(rooms.uploads.append(session, pieces(b"x"), None, None))
    assert rooms.run(rooms.collector.run()).uploads == 0
    age(rooms, 8 * 24 * HOUR)
    assert rooms.run(rooms.collector.run()).uploads == 1


def test_a_blob_pushed_again_is_young_again(rooms: OpenRooms) -> None:
    """The second push starts its grace period anew."""
    rooms.run(rooms.push_blob(b"again"))
    age(rooms)
    rooms.run(rooms.push_blob(b"again"))
    rooms.run(rooms.collector.run())
    assert stored(rooms) == digests(b"again")


def test_the_plan_tells_and_does_nothing(rooms: OpenRooms) -> None:
    """What it lists is what the run removes."""
    rooms.run(rooms.push_image(V1))
    rooms.run(rooms.push_blob(b"orphan"))
    age(rooms)
    plan = rooms.run(rooms.collector.plan())
    assert plan == GcPlan((), 1, (Digest.of(b"orphan"),), 6, ())
    assert Digest.of(b"orphan") in stored(rooms)
    report = rooms.run(rooms.collector.run())
    assert (report.links, report.blobs, report.bytes) == (1, 1, 6)


def test_the_plan_names_untagged_manifests(rooms: OpenRooms) -> None:
    """As repository@digest."""
    rooms.configure(**UNTAGGED)
    rooms.run(rooms.push_image())
    age(rooms)
    assert rooms.run(rooms.collector.plan()).manifests == (f"team/app@{Digest.of(image())}",)


def test_a_collection_by_another_process_spares_the_same(rooms: OpenRooms) -> None:
    """The command beside the server sees what the server recorded."""
    rooms.run(rooms.push_image(V1))
    rooms.run(rooms.push_blob(b"orphan"))
    age(rooms)
    with open_rooms(rooms.data) as beside:
        beside.run(beside.collector.run())
    assert stored(rooms) == digests(b"{}", b"layer", image())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"layer", "team/app uses it in manifest sha256:"),
        (image(), "team/app holds it as a manifest, tagged v1"),
        (b"young", "team/app was given it lately"),
        (b"rowless", "nothing refers to it, but it is young"),
    ],
)
def test_what_is_kept_is_explained(rooms: OpenRooms, content: bytes, reason: str) -> None:
    """One sentence for each reason."""
    rooms.run(rooms.push_image(V1))
    rooms.run(rooms.push_blob(b"young"))
    rooms.run(rooms.storage.put(Digest.of(b"rowless"), b"rowless"))
    explanation = rooms.run(rooms.collector.explain(Digest.of(content)))
    assert explanation.kept
    assert explanation.reasons[0].startswith(reason)


def test_what_goes_is_explained(rooms: OpenRooms) -> None:
    """Garbage, and what is not there at all."""
    rooms.run(rooms.push_blob(b"orphan"))
    age(rooms)
    found = [rooms.run(rooms.collector.explain(Digest.of(content))) for content in (b"orphan", b"absent")]
    assert [explanation.kept for explanation in found] == [False, False]
    assert "next run removes it" in found[0].reasons[0]


def test_old_events_go(rooms: OpenRooms) -> None:
    """What happened longer ago than the setting says is forgotten, and counted."""
    rooms.configure(gc={"events_after_seconds": 0})
    rooms.run(rooms.push_image(V1, [b"one"]))
    assert rooms.run(rooms.collector.run()).events > 0
