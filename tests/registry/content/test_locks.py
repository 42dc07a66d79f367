"""Locks: what a repository, a tag or a manifest is not to be used for, at every way in and out."""

import time

import pytest
from sqlalchemy import Connection

from registry.metadata import transactions
from registry.metadata.attributes import Order, PageStart
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest
from registry.oci.errors import Locked, ManifestUnknown, NameUnknown
from registry.oci.names import Reference, Tag
from tests.registry.open_services import OTHER, PUSHER, REPOSITORY, OpenServices, image, pieces

V1, V2 = Tag("v1"), Tag("v2")
BLOB = Digest.of(b"layer")


@pytest.fixture
def digest(services: OpenServices) -> Digest:
    """A manifest, tagged `v1`."""
    return services.run(services.push_image(V1)).digest


def lock(services: OpenServices, bearer: Reference | None, **change: bool) -> None:
    """Lock a tag, a manifest, or the repository."""
    services.run(services.attributes.lock(PUSHER, REPOSITORY, bearer, change))


@pytest.mark.parametrize("against", ["deletes", "writes"])
@pytest.mark.parametrize("bearer", ["tag", "manifest", "repository"])
def test_what_is_locked_does_not_go(services: OpenServices, digest: Digest, bearer: str, against: str) -> None:
    """Neither the manifest, for all of its tags, nor the repository."""
    lock(services, {"tag": V1, "manifest": digest, "repository": None}[bearer], **{against: True})
    with pytest.raises(Locked, match=f"locked against {against}"):
        services.run(services.manifests.delete(REPOSITORY, digest))
    at = ChangeContext(REPOSITORY, "", time.time())
    with pytest.raises(Locked):
        services.run(services.metadata.write(transactions.drop_repository, at))


@pytest.mark.parametrize("bearer", ["tag", "repository"])
def test_a_locked_tag_does_not_go(services: OpenServices, digest: Digest, bearer: str) -> None:
    """By its own lock, or the repository's; another tag does not mind the first one's."""
    services.run(services.push_image(V2))
    lock(services, V1 if bearer == "tag" else None, deletes=True)
    with pytest.raises(Locked):
        services.run(services.manifests.delete(REPOSITORY, V1))
    if bearer == "tag":
        services.run(services.manifests.delete(REPOSITORY, V2))


def test_a_tag_that_is_locked_against_writes_does_not_move(services: OpenServices, digest: Digest) -> None:
    """The same manifest may be pushed again, and others under other tags."""
    lock(services, V1, writes=True)
    with pytest.raises(Locked, match="tag team/app:v1 is locked against writes"):
        services.run(services.push_image(V1, [b"other"]))
    services.run(services.push_image(V1))
    services.run(services.push_image(V2, [b"other"]))
    assert services.run(services.attributes.of_tag(REPOSITORY, V1)).digest == digest


def test_nothing_comes_into_a_repository_that_is_locked_against_writes(services: OpenServices, digest: Digest) -> None:
    """No manifest, no blob, no mount, no upload."""
    services.run(services.push_blob(b"elsewhere", OTHER))
    lock(services, None, writes=True)
    for work in (
        services.manifests.push(PUSHER, REPOSITORY, V2, image(), ""),
        services.uploads.start(REPOSITORY, PUSHER),
        services.blobs.mount(PUSHER, REPOSITORY, Digest.of(b"elsewhere"), OTHER, lambda _name: True),
    ):
        with pytest.raises(Locked):
            services.run(work)


def test_an_upload_that_had_begun_before_the_lock_does_not_end(services: OpenServices, digest: Digest) -> None:
    """The transaction asks again."""
    session = services.run(services.uploads.start(REPOSITORY, PUSHER))
    lock(services, None, writes=True)
    with pytest.raises(Locked):
        services.run(services.uploads.finish(session, Digest.of(b""), pieces(), None, 0))


@pytest.mark.parametrize("reference", ["tag", "digest"])
@pytest.mark.parametrize("bearer", ["tag", "manifest", "repository"])
def test_what_is_locked_against_reads_is_not_pulled(
    services: OpenServices, digest: Digest, bearer: str, reference: str
) -> None:
    """The lock of a tag holds for who asks by that tag."""
    wanted = services.manifests.pull(PUSHER, REPOSITORY, V1 if reference == "tag" else digest)
    lock(services, {"tag": V1, "manifest": digest, "repository": None}[bearer], reads=True)
    if (bearer, reference) == ("tag", "digest"):
        assert services.run(wanted).digest == digest
    else:
        with pytest.raises(Locked, match="locked against reads"):
            services.run(wanted)


def test_blobs_of_a_repository_that_is_locked_against_reads_stay(services: OpenServices, digest: Digest) -> None:
    """They are neither pulled nor mounted elsewhere, also when they were pulled before."""
    services.run(services.blobs.pull(PUSHER, REPOSITORY, BLOB))
    lock(services, None, reads=True)
    with pytest.raises(Locked):
        services.run(services.blobs.pull(PUSHER, REPOSITORY, BLOB))
    for source in (REPOSITORY, None):
        assert not services.run(services.blobs.mount(PUSHER, OTHER, BLOB, source, lambda _name: True))
    lock(services, None, reads=False)
    assert services.run(services.blobs.pull(PUSHER, REPOSITORY, BLOB)).digest == BLOB


def test_what_is_locked_against_lists_is_not_listed(services: OpenServices, digest: Digest) -> None:
    """Neither in the lists of the specification nor in those of attributes; by its name it is there."""
    lock(services, V1, lists=True)
    lock(services, digest, lists=True)
    lock(services, None, lists=True)
    assert services.run(services.tag_names()) == ()
    assert services.run(services.catalog.page(lambda _name: True, None, "")).items == ()
    assert services.run(services.attributes.tags(REPOSITORY, 10)).items == ()
    assert services.run(services.attributes.manifests(REPOSITORY, 10, PageStart(Order.NEWEST))).items == ()
    assert services.run(services.attributes.of_manifest(REPOSITORY, digest)).tags == ()
    assert services.run(services.manifests.pull(PUSHER, REPOSITORY, V1)).digest == digest


def test_blobs_of_a_locked_repository_are_not_deleted(services: OpenServices, digest: Digest) -> None:
    """Also those that no manifest names."""
    loose = services.run(services.push_blob(b"loose"))
    lock(services, None, deletes=True)
    with pytest.raises(Locked):
        services.run(services.blobs.delete(REPOSITORY, loose))


def test_collections_spare_what_is_locked(services: OpenServices, digest: Digest) -> None:
    """A manifest without a tag goes after its time, unless it or its repository is locked."""
    other = services.run(services.push_image(None, [b"other"])).digest
    services.run(services.manifests.delete(REPOSITORY, V1))
    lock(services, digest, deletes=True)
    services.configure(gc={"untagged_after_seconds": 1, "grace_seconds": 0})
    services.run(services.metadata.write(_age))
    services.run(services.collector.run())
    assert [each.digest for each in services.run(services.attributes.manifests(REPOSITORY, 10)).items] == [digest]
    assert other != digest


def _age(connection: Connection) -> None:
    """Have everything be old."""
    connection.exec_driver_sql("UPDATE manifests SET pushed = 1.0")


def test_a_lock_goes_with_its_bearer(services: OpenServices, digest: Digest) -> None:
    """A tag that is pushed anew is not locked."""
    lock(services, V1, reads=True)
    services.run(services.manifests.delete(REPOSITORY, V1))
    services.run(services.push_image(V1))
    assert services.run(services.manifests.pull(PUSHER, REPOSITORY, V1)).digest == digest


def test_only_what_is_there_is_locked(services: OpenServices, digest: Digest) -> None:
    """An unknown tag, manifest or repository is told."""
    for bearer in (V2, Digest.of(b"x")):
        with pytest.raises(ManifestUnknown):
            lock(services, bearer, reads=True)
    with pytest.raises(NameUnknown):
        services.run(services.attributes.lock(PUSHER, OTHER, None, {"reads": True}))
