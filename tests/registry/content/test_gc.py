"""Garbage collection: what goes, what stays, and why."""

import pytest
from sqlalchemy import Connection, select

from registry.content.gc import GcPlan
from registry.metadata.tables import manifests
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.registry.ageing import HOUR, age
from tests.registry.open_services import (
    OTHER,
    PUSHER,
    REPOSITORY,
    OpenServices,
    descriptor,
    image,
    index,
    pieces,
)

V1 = Tag("v1")
UNTAGGED = {"gc": {"untagged_after_seconds": int(24 * HOUR)}}


def recorded(connection: Connection) -> set[Digest]:
    """All manifests."""
    return {Digest(digest) for digest in connection.execute(select(manifests.c.digest)).scalars()}


def stored(services: OpenServices) -> set[Digest]:
    """Everything in the blob store, and the manifests, which keep their bytes themselves."""

    async def listed() -> set[Digest]:
        return {blob.digest async for blob in services.storage.blobs()}

    return services.run(listed()) | services.run(services.metadata.read(recorded))


def collect(services: OpenServices) -> set[Digest]:
    """Run a collection over things that are old by now; returns what is left."""
    age(services)
    services.run(services.collector.run())
    return stored(services)


def digests(*contents: bytes) -> set[Digest]:
    """Their digests."""
    return {Digest.of(content) for content in contents}


def test_an_unreferenced_blob_goes(services: OpenServices) -> None:
    """Uploaded, never named by a manifest, older than the grace period."""
    services.run(services.push_blob(b"orphan"))
    assert collect(services) == set()


def test_a_young_blob_stays(services: OpenServices) -> None:
    """Its manifest may still come."""
    services.run(services.push_blob(b"young"))
    services.run(services.collector.run())
    assert stored(services) == digests(b"young")


def test_a_blob_without_any_row_goes(services: OpenServices) -> None:
    """What a killed upload left behind between its bytes and its row."""
    services.run(services.storage.put(Digest.of(b"left"), b"left"))
    assert collect(services) == set()


def test_an_image_stays(services: OpenServices) -> None:
    """Manifest, configuration and layers."""
    services.run(services.push_image(V1, [b"one", b"two"]))
    assert collect(services) == digests(b"{}", b"one", b"two", image([b"one", b"two"]))


def test_an_untagged_image_stays_by_default(services: OpenServices) -> None:
    """A digest is a reference, too."""
    services.run(services.push_image())
    assert collect(services) == digests(b"{}", b"layer", image())


def test_a_deleted_image_goes_but_for_what_others_use(services: OpenServices) -> None:
    """A layer that another image or repository uses stays."""
    services.run(services.push_image(V1, [b"own", b"shared"]))
    services.run(services.push_image(Tag("v2"), [b"shared"]))
    services.run(services.push_image(V1, [b"elsewhere"], OTHER))
    services.run(services.manifests.delete(REPOSITORY, Digest.of(image([b"own", b"shared"]))))
    left = digests(b"{}", b"shared", b"elsewhere", image([b"shared"]), image([b"elsewhere"]))
    assert collect(services) == left


def test_a_mounted_blob_outlives_its_source(services: OpenServices) -> None:
    """The target's manifest keeps it."""
    services.run(services.push_image(V1))
    for content in (b"{}", b"layer"):
        services.run(services.blobs.mount(PUSHER, OTHER, Digest.of(content), REPOSITORY, lambda _name: True))
    services.run(services.push_manifest(image(), V1, OTHER))
    services.run(services.manifests.delete(REPOSITORY, Digest.of(image())))
    assert collect(services) == digests(b"{}", b"layer", image())


def test_untagged_manifests_go_when_asked_to(services: OpenServices) -> None:
    """And what only they used, in the same run."""
    services.configure(**UNTAGGED)
    services.run(services.push_image(None, [b"old"]))
    services.run(services.push_image(V1, [b"kept"]))
    assert collect(services) == digests(b"{}", b"kept", image([b"kept"]))


def test_an_index_keeps_its_manifests(services: OpenServices) -> None:
    """Although they have no tag; with it, they go."""
    services.configure(**UNTAGGED)
    services.run(services.push_image())
    services.run(services.push_manifest(index(image()), V1))
    assert collect(services) == digests(b"{}", b"layer", image(), index(image()))
    services.run(services.manifests.delete(REPOSITORY, V1))
    assert collect(services) == set()


def test_a_subject_keeps_its_referrers(services: OpenServices) -> None:
    """As long as it is there itself."""
    services.configure(**UNTAGGED)
    services.run(services.push_image(V1))
    signature = image((), subject=descriptor(image()))
    services.run(services.push_manifest(signature))
    assert Digest.of(signature) in collect(services)
    services.run(services.manifests.delete(REPOSITORY, Digest.of(image())))
    assert collect(services) == set()


def test_abandoned_uploads_go(services: OpenServices) -> None:
    """Those that got no byte for too long."""
    session = services.run(services.uploads.start(REPOSITORY, PUSHER))
    services.run(services.uploads.append(session, pieces(b"x"), None, None))
    assert services.run(services.collector.run()).uploads == 0
    age(services, 8 * 24 * HOUR)
    assert services.run(services.collector.run()).uploads == 1


def test_a_blob_pushed_again_is_young_again(services: OpenServices) -> None:
    """The second push starts its grace period anew."""
    services.run(services.push_blob(b"again"))
    age(services)
    services.run(services.push_blob(b"again"))
    services.run(services.collector.run())
    assert stored(services) == digests(b"again")


def test_the_plan_tells_what_is_too_young(services: OpenServices) -> None:
    """What nothing refers to, but a later run alone removes."""
    services.run(services.push_image(V1))
    services.run(services.push_blob(b"orphan"))
    plan = services.run(services.collector.plan())
    assert (plan.blobs, plan.waiting_blobs, plan.waiting_bytes, plan.waiting_seconds) == ((), 1, 6, 86_400)


def test_the_plan_tells_and_does_nothing(services: OpenServices) -> None:
    """What it lists is what the run removes."""
    services.run(services.push_image(V1))
    services.run(services.push_blob(b"orphan"))
    age(services)
    plan = services.run(services.collector.plan())
    assert plan == GcPlan((), 1, (Digest.of(b"orphan"),), 6, (), waiting_seconds=86_400)
    assert Digest.of(b"orphan") in stored(services)
    report = services.run(services.collector.run())
    assert (report.links, report.blobs, report.bytes) == (1, 1, 6)


def test_the_plan_names_untagged_manifests(services: OpenServices) -> None:
    """As repository@digest."""
    services.configure(**UNTAGGED)
    services.run(services.push_image())
    age(services)
    assert services.run(services.collector.plan()).manifests == (f"team/app@{Digest.of(image())}",)


def test_a_collection_by_another_process_spares_the_same(services: OpenServices) -> None:
    """The command beside the server sees what the server recorded."""
    services.run(services.push_image(V1))
    services.run(services.push_blob(b"orphan"))
    age(services)
    with services.beside() as beside:
        beside.run(beside.collector.run())
    assert stored(services) == digests(b"{}", b"layer", image())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"layer", "team/app uses it in manifest sha256:"),
        (image(), "team/app holds it as a manifest, tagged v1"),
        (b"young", "team/app was given it lately"),
        (b"rowless", "nothing refers to it, but it is young"),
    ],
)
def test_what_is_kept_is_explained(services: OpenServices, content: bytes, reason: str) -> None:
    """One sentence for each reason."""
    services.run(services.push_image(V1))
    services.run(services.push_blob(b"young"))
    services.run(services.storage.put(Digest.of(b"rowless"), b"rowless"))
    explanation = services.run(services.collector.explain(Digest.of(content)))
    assert explanation.kept
    assert explanation.reasons[0].startswith(reason)


def test_what_goes_is_explained(services: OpenServices) -> None:
    """Garbage, and what is not there at all."""
    services.run(services.push_blob(b"orphan"))
    age(services)
    found = [services.run(services.collector.explain(Digest.of(content))) for content in (b"orphan", b"absent")]
    assert [explanation.kept for explanation in found] == [False, False]
    assert "next run removes it" in found[0].reasons[0]


def test_old_events_go(services: OpenServices) -> None:
    """What happened longer ago than the setting says is forgotten, and counted."""
    services.configure(gc={"events_after_seconds": 0})
    services.run(services.push_image(V1, [b"one"]))
    assert services.run(services.collector.run()).events > 0
