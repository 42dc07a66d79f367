"""Attributes of repositories, tags and manifests: what is told, in which order, page by page."""

import pytest
from sqlalchemy import Connection, update

from registry.metadata.attributes import Order, PageStart
from registry.metadata.tables import manifests as manifest_rows
from registry.metadata.tables import tags as tag_rows
from registry.oci.digest import Digest
from registry.oci.errors import ManifestUnknown, NameUnknown
from registry.oci.names import Tag
from tests.registry.open_services import OTHER, REPOSITORY, OpenServices, image, index

TAGS = [Tag(name) for name in ("a", "b", "c", "d")]


def set_times(connection: Connection, times: dict[Tag, float]) -> None:
    """Have tags be moved last, and their manifests pushed, at these times."""
    for tag, when in times.items():
        moved = update(tag_rows).where(tag_rows.c.name == tag)
        digest = connection.execute(moved.values(created=1.0, updated=when).returning(tag_rows.c.digest)).scalar_one()
        connection.execute(update(manifest_rows).where(manifest_rows.c.digest == digest).values(pushed=when))


@pytest.fixture
def tagged(services: OpenServices) -> dict[Tag, Digest]:
    """Four tags of four manifests, the third and the last the newest, of the same moment."""
    found = {tag: services.run(services.push_image(tag, [tag.encode()])).digest for tag in TAGS}
    services.run(services.metadata.write(set_times, dict(zip(TAGS, (30.0, 10.0, 40.0, 40.0), strict=True))))
    return found


ORDERS = [(Order.NAME, "abcd"), (Order.NEWEST, "cdab"), (Order.OLDEST, "bacd")]


@pytest.mark.parametrize(("order", "wanted"), ORDERS)
@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_tags_come_in_order(
    services: OpenServices, tagged: dict[Tag, Digest], order: Order, wanted: str, n: int
) -> None:
    """Page by page, each entry once; those of one moment by name."""
    found, start, more = "", PageStart(order), True
    while more:
        page = services.run(services.attributes.tags(REPOSITORY, n, start))
        found, more = found + "".join(each.name for each in page.items), page.more
        start = PageStart(order, page.items[-1].name, page.items[-1].updated)
    assert found == wanted


@pytest.mark.parametrize(("order", "wanted"), [ORDERS[1], ORDERS[2]])
def test_manifests_come_in_order(services: OpenServices, tagged: dict[Tag, Digest], order: Order, wanted: str) -> None:
    """Of time; those of one moment by digest."""
    page = services.run(services.attributes.manifests(REPOSITORY, 9, PageStart(order)))
    times = [each.updated for each in page.items]
    assert times == sorted(times, reverse=order is Order.NEWEST)
    assert {each.tags[0] for each in page.items} == set(wanted)


def test_manifests_come_by_digest_otherwise(services: OpenServices, tagged: dict[Tag, Digest]) -> None:
    """Page by page."""
    first = services.run(services.attributes.manifests(REPOSITORY, 3))
    rest = services.run(services.attributes.manifests(REPOSITORY, 3, start=PageStart(last=first.items[-1].digest)))
    assert [each.digest for each in (*first.items, *rest.items)] == sorted(tagged.values())
    assert (first.more, rest.more) == (True, False)


def test_a_manifest_tells_its_sizes_types_and_tags(services: OpenServices) -> None:
    """Bytes of the manifest with all that it names; of an index its own."""
    made = services.run(services.push_image(Tag("v1"), [b"layer", b"more"])).digest
    services.run(services.push_image(Tag("v2"), [b"layer", b"more"]))
    raw = image([b"layer", b"more"])
    told = services.run(services.attributes.of_manifest(REPOSITORY, made))
    assert (told.size, told.tags) == (len(raw) + len(b"{}layermore"), ("v1", "v2"))
    assert (told.config, told.config_media_type) == (Digest.of(b"{}"), "application/vnd.oci.image.config.v1+json")
    listed = services.run(services.push_manifest(index(raw)))
    assert services.run(services.attributes.of_manifest(REPOSITORY, listed.digest)).size == len(index(raw))


def test_a_second_push_is_no_first_one(services: OpenServices) -> None:
    """`created` stays, `updated` does not; also of a manifest from before there was `created`."""
    made = services.run(services.push_image(Tag("v1"))).digest
    services.run(services.metadata.write(_as_before))
    assert services.run(services.attributes.of_manifest(REPOSITORY, made)).created == 5.0
    services.run(services.push_image(Tag("v1")))
    told = services.run(services.attributes.of_manifest(REPOSITORY, made))
    assert told.created == 5.0
    assert told.updated > 5.0


def _as_before(connection: Connection) -> None:
    """As an earlier basegate has recorded it."""
    connection.exec_driver_sql("UPDATE manifests SET created = NULL, pushed = 5.0")


def test_a_repository_tells_what_it_holds(services: OpenServices, tagged: dict[Tag, Digest]) -> None:
    """How many manifests and tags, and when the last of them changed."""
    services.run(services.manifests.delete(REPOSITORY, TAGS[0]))
    told = services.run(services.attributes.of_repository(REPOSITORY))
    assert (told.name, told.manifests, told.tags) == (REPOSITORY, 4, 3)
    assert told.updated == told.created > 40.0


def test_tags_of_one_manifest(services: OpenServices, tagged: dict[Tag, Digest]) -> None:
    """By its digest."""
    page = services.run(services.attributes.tags(REPOSITORY, 9, digest=tagged[TAGS[1]]))
    assert [each.name for each in page.items] == [TAGS[1]]


def test_what_is_not_there_is_unknown(services: OpenServices, tagged: dict[Tag, Digest]) -> None:
    """A repository, a tag, a manifest."""
    for work in (services.attributes.of_repository(OTHER), services.attributes.tags(OTHER, 1)):
        with pytest.raises(NameUnknown):
            services.run(work)
    for wanted in (
        services.attributes.of_tag(REPOSITORY, Tag("none")),
        services.attributes.of_manifest(REPOSITORY, Digest.of(b"")),
    ):
        with pytest.raises(ManifestUnknown):
            services.run(wanted)
