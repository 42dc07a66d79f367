"""What was deleted: told, and brought back one by one."""

import json
import os
import time
from itertools import count

import pytest

from registry.metadata.deleted import DeletedTag
from registry.metadata.manifests import find_tagged
from registry.oci.digest import Digest
from registry.oci.errors import Denied, Locked, ManifestUnknown, Unsupported
from registry.oci.names import Tag
from registry.storage.disk.layout import Layout
from tests.registry.open_services import OTHER, PUSHER, REPOSITORY, OpenServices, descriptor, image, index

V1, V2 = Tag("v1"), Tag("v2")
_NUMBERS = count()


@pytest.fixture
def digest(services: OpenServices) -> Digest:
    """A manifest, tagged `v1`."""
    return services.run(services.push_image(V1)).digest


def restore(services: OpenServices, digest: Digest, tag: Tag | None = None, *, force: bool = False) -> None:
    """Bring it back."""
    services.run(services.deleted.restore(PUSHER, REPOSITORY, digest, tag, force=force))


def deleted(services: OpenServices) -> list[Digest]:
    """The manifests of the repository that can be brought back."""
    return [each.digest for each in services.run(services.deleted.manifests(REPOSITORY, 100, "")).items]


def collect(services: OpenServices) -> None:
    """A collection of everything that nothing names."""
    services.configure(gc={"grace_seconds": 0, "undo_seconds": 3600})
    services.run(services.metadata.write(lambda rows: rows.exec_driver_sql("UPDATE repository_blobs SET created = 1")))
    for path in Layout(services.data).blobs.glob("*/*/*"):
        os.utime(path, (1, 1))
    services.run(services.collector.run())


def test_what_was_deleted_is_told(services: OpenServices, digest: Digest) -> None:
    """Repository, manifest with its tags, and tags."""
    services.run(services.manifests.delete(REPOSITORY, digest))
    (told,) = services.run(services.deleted.manifests(REPOSITORY, 9, "")).items
    assert (told.digest, told.size, told.tags) == (digest, len(image()), (V1,))
    assert time.time() - told.deleted < 60
    ((_, tag),) = services.run(services.deleted.tags(REPOSITORY, 9, 0)).items
    assert tag == DeletedTag(V1, digest, told.deleted)
    assert services.run(services.deleted.repositories(lambda _name: True, 9, "")).items == (REPOSITORY,)
    assert services.run(services.deleted.repositories(lambda name: name == OTHER, 9, "")).items == ()


def test_a_manifest_comes_back_with_its_tag(services: OpenServices, digest: Digest) -> None:
    """As it was; the trash has it no longer."""
    services.run(services.manifests.delete(REPOSITORY, digest))
    restore(services, digest, V1)
    pulled = services.run(services.manifests.pull(PUSHER, REPOSITORY, V1))
    assert (pulled.digest, pulled.raw) == (digest, image())
    assert deleted(services) == []
    assert services.run(services.deleted.tags(REPOSITORY, 9, 0)).items == ()


def test_blobs_that_were_collected_come_back(services: OpenServices, digest: Digest) -> None:
    """Their files from the trash, and that the repository shows them."""
    services.run(services.manifests.delete(REPOSITORY, digest))
    collect(services)
    assert not list(Layout(services.data).blobs.glob("*/*/*"))
    restore(services, digest, V1)
    assert services.run(services.blobs.pull(PUSHER, REPOSITORY, Digest.of(b"layer"))).size == len(b"layer")


def test_a_referrer_is_one_again(services: OpenServices, digest: Digest) -> None:
    """It is listed for its subject, which may have been away as well."""
    raw = image((), subject=descriptor(image()))
    note = services.run(services.push_manifest(raw, Digest.of(raw))).digest
    for each in (note, digest):
        services.run(services.manifests.delete(REPOSITORY, each))
    restore(services, digest)
    assert referrers(services, digest) == []
    restore(services, note)
    assert referrers(services, digest) == [note]


def referrers(services: OpenServices, subject: Digest) -> list[str]:
    """What refers to a manifest."""
    page = services.run(services.referrers.page(PUSHER, REPOSITORY, subject, "", 10, ""))
    return [json.loads(entry)["digest"] for entry in page.entries]


def test_a_repository_comes_back_piece_by_piece(services: OpenServices, digest: Digest) -> None:
    """Also where it is gone as a whole: an index brings its images."""
    listed = services.run(services.push_manifest(index(image()), V2)).digest
    services.run(services.manifests.delete_all(PUSHER, REPOSITORY))
    assert sorted(deleted(services)) == sorted([digest, listed])
    restore(services, listed, V2)
    assert services.run(services.manifests.pull(PUSHER, REPOSITORY, digest)).raw == image()
    assert deleted(services) == []


def test_what_is_named_many_times_comes_back_once(services: OpenServices, digest: Digest) -> None:
    """Indexes of indexes that each name one thing forty times, four levels deep, name it millions of times."""
    made, levels = image(), [digest]
    for _ in range(4):
        made = index(*[made] * 40)
        levels.append(services.run(services.push_manifest(made)).digest)
    for each in reversed(levels):
        services.run(services.manifests.delete(REPOSITORY, each))
    restore(services, levels[-1])
    assert deleted(services) == []


def test_a_tag_alone_comes_back(services: OpenServices, digest: Digest) -> None:
    """The manifest was there all the time."""
    services.run(services.manifests.delete(REPOSITORY, V1))
    assert deleted(services) == []
    restore(services, digest, V1)
    found = services.run(services.metadata.read(find_tagged, REPOSITORY, V1))
    assert found is not None
    assert found.digest == digest


def test_a_tag_that_moved_stays_unless_forced(services: OpenServices, digest: Digest) -> None:
    """The manifest comes back all the same."""
    services.run(services.manifests.delete(REPOSITORY, digest))
    other = services.run(services.push_image(V1, [b"other"])).digest
    with pytest.raises(Unsupported, match="points at"):
        restore(services, digest, V1)
    assert services.run(services.manifests.pull(PUSHER, REPOSITORY, V1)).digest == other
    restore(services, digest, V1, force=True)
    assert services.run(services.manifests.pull(PUSHER, REPOSITORY, V1)).digest == digest


def test_what_is_locked_or_immutable_is_not_forced(services: OpenServices, digest: Digest) -> None:
    """A tag that points elsewhere by now, and a repository that takes nothing."""
    services.run(services.manifests.delete(REPOSITORY, digest))
    services.run(services.push_image(V1, [b"other"]))
    services.configure(immutable_tags=[{"tags": ["v1"]}])
    with pytest.raises(Denied, match="immutable"):
        restore(services, digest, V1, force=True)
    services.configure()
    services.run(services.attributes.lock(PUSHER, REPOSITORY, V1, {"writes": True}))
    with pytest.raises(Locked):
        restore(services, digest, V1, force=True)
    services.run(services.attributes.lock(PUSHER, REPOSITORY, None, {"writes": True}))
    with pytest.raises(Locked):
        restore(services, digest, V2)


def test_what_the_trash_has_not_is_unknown(services: OpenServices, digest: Digest) -> None:
    """A manifest that never was, and one whose blobs are gone for good."""
    with pytest.raises(ManifestUnknown):
        restore(services, Digest.of(b"never"))
    services.run(services.manifests.delete(REPOSITORY, digest))
    collect(services)
    services.run(
        services.metadata.write(lambda rows: rows.exec_driver_sql("DELETE FROM trash WHERE kind <> 'manifest'"))
    )
    with pytest.raises(ManifestUnknown, match="not in the trash any more"):
        restore(services, digest)


def test_pages(services: OpenServices) -> None:
    """Of manifests by digest, of tags by the order in which they went."""
    digests = [services.run(services.push_image(Tag(f"t{n}"), [b"%d" % n])).digest for n in range(3)]
    for digest in reversed(digests):
        services.run(services.manifests.delete(REPOSITORY, digest))
    page = services.run(services.deleted.manifests(REPOSITORY, 2, ""))
    rest = services.run(services.deleted.manifests(REPOSITORY, 2, page.items[-1].digest))
    assert [each.digest for each in (*page.items, *rest.items)] == sorted(digests)
    first = services.run(services.deleted.tags(REPOSITORY, 2, 0))
    last = services.run(services.deleted.tags(REPOSITORY, 2, first.items[-1][0]))
    assert [each.name for _, each in (*first.items, *last.items)] == ["t2", "t1", "t0"]
    assert (page.more, rest.more, first.more, last.more) == (True, False, True, False)
