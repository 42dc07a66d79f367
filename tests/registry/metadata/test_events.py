"""Events: one for each change, in the transaction of the change."""

import pytest
from sqlalchemy import Connection, select

from registry.metadata.events import forget_before
from registry.metadata.tables import events
from registry.oci.digest import Digest
from registry.oci.errors import ManifestBlobUnknown
from registry.oci.names import Tag
from tests.registry.open_services import OTHER, PUSHER, REPOSITORY, OpenServices, image

MANIFEST, LAYER = Digest.of(image()), Digest.of(b"layer")


def told(services: OpenServices) -> list[tuple[str, str, str]]:
    """Kind, digest and tag of all events, oldest first."""

    def query(connection: Connection) -> list[tuple[str, str, str]]:
        columns = (events.c.kind, events.c.digest, events.c.tag)
        return [(row[0], row[1], row[2]) for row in connection.execute(select(*columns).order_by(events.c.id))]

    return services.run(services.metadata.read(query))


def test_a_push_is_told(services: OpenServices) -> None:
    """Blobs, manifest, tag."""
    services.run(services.push_image(Tag("v1")))
    assert told(services) == [
        ("blob.pushed", Digest.of(b"{}"), ""),
        ("blob.pushed", LAYER, ""),
        ("manifest.pushed", MANIFEST, ""),
        ("tag.set", MANIFEST, "v1"),
    ]


def test_a_tag_that_stays_is_not_told(services: OpenServices) -> None:
    """A repeated push sets nothing."""
    for _ in range(2):
        services.run(services.push_image(Tag("v1")))
    assert [event for event in told(services) if event[0] == "tag.set"] == [("tag.set", MANIFEST, "v1")]


def test_a_delete_is_told_with_its_consequences(services: OpenServices) -> None:
    """The tags that vanish, the manifest, the blob."""
    services.run(services.push_image(Tag("v1")))
    services.run(services.manifests.delete(REPOSITORY, MANIFEST))
    services.run(services.blobs.delete(REPOSITORY, LAYER))
    assert told(services)[-3:] == [
        ("tag.deleted", MANIFEST, "v1"),
        ("manifest.deleted", MANIFEST, ""),
        ("blob.deleted", LAYER, ""),
    ]


def test_a_mount_is_told(services: OpenServices) -> None:
    """In the target."""
    services.run(services.push_blob(b"layer"))
    services.run(services.blobs.mount(PUSHER, OTHER, LAYER, REPOSITORY, lambda _name: True))
    assert told(services)[-1] == ("blob.mounted", LAYER, "")


def test_a_refused_push_is_not_told(services: OpenServices) -> None:
    """Nothing happened."""
    with pytest.raises(ManifestBlobUnknown):
        services.run(services.push_manifest(image(), Tag("v1")))
    assert told(services) == []


def test_old_events_can_be_forgotten(services: OpenServices) -> None:
    """Those before a time."""
    services.run(services.push_blob(b"layer"))
    assert services.run(services.metadata.write(forget_before, 0.0)) == 0
    assert services.run(services.metadata.write(forget_before, 1e12)) == 1
