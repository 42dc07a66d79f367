"""What is locked against lists is in no list, whatever the statement around the condition reads; on each engine."""

from collections.abc import Callable, Collection
from typing import Any

import pytest
from sqlalchemy import Connection, Select, select

from registry.metadata import attributes, events, garbage, image_search, listings, locks, overviews, tag_history
from registry.metadata import repositories as repository_rows
from registry.metadata import tags as tag_rows
from registry.metadata.garbage import Untagged
from registry.metadata.image_search import Place, Wanted
from registry.metadata.locks import REPOSITORY as THE_REPOSITORY
from registry.metadata.locks import Locks
from registry.metadata.tables import locks as lock_rows
from registry.metadata.tables import manifests, repositories, tags
from registry.metadata.tables import tag_history as history_rows
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from tests.registry.open_services import OTHER, REPOSITORY, OpenServices, image

Asked = Callable[[Connection], Collection[Any]]
V1, BLOB = Tag("v1"), Digest.of(b"layer")
IMAGE, LONE = Digest.of(image([b"layer"])), Digest.of(image([b"lone"]))
HERE = Wanted(repositories=(("=", REPOSITORY),))
START = attributes.PageStart()


def id_of(connection: Connection, name: RepositoryName = REPOSITORY) -> int:
    """The row of a repository."""
    found = repository_rows.find(connection, name)
    assert found is not None
    return found


def row_of(connection: Connection) -> int:
    """The row of the image."""
    return int(connection.execute(select(manifests.c.id).where(manifests.c.digest == IMAGE)).scalar_one())


def selected(connection: Connection, **wanted: Any) -> set[int]:
    """The row of the image, if it meets conditions."""
    return image_search.selected(connection, Wanted(**wanted), [row_of(connection)])


def told_events(connection: Connection) -> list[Any]:
    """What readers are told of what happened to the tag."""
    told = events.after_told(connection, 0, 99)
    return [each for each in told if each.event.tag == V1 and not each.is_hidden]


OF_A_TAG: dict[str, Asked] = {
    "tags": lambda c: tag_rows.listed(c, id_of(c), "", 9),
    "attributes": lambda c: attributes.tag_page(c, REPOSITORY, START, 9),
    "attributes of a manifest": lambda c: attributes.manifest(c, REPOSITORY, IMAGE).tags,
    "listing": lambda c: listings.tags_of(c, REPOSITORY, "", 9, hidden=False),
    "listing of manifests": lambda c: listings.manifests_of(c, REPOSITORY, "", 9, hidden=False)[0].tags,
    "listing of a manifest": lambda c: listings.manifest(c, REPOSITORY, IMAGE, hidden=False).tags,
    "overview in short": lambda c: range(overviews.tags_of_each(c, [REPOSITORY], 9)[REPOSITORY].count),
    "overview": lambda c: overviews.tag_page(c, REPOSITORY, "", 9),
    "overview of a manifest": lambda c: overviews.tags_of(c, REPOSITORY, IMAGE, 9),
    "found tags": lambda c: image_search.tags_of(c, row_of(c), 9),
    "search for tagged": lambda c: selected(c, tagged=True),
    "search by tag": lambda c: selected(c, tags=(("=", V1),)),
    "search by move": lambda c: selected(c, moved=((">", 0.0),)),
    "history": lambda c: tag_history.of_repository(c, REPOSITORY, None, 9),
    "events": told_events,
}
OF_A_MANIFEST: dict[str, Asked] = {
    "attributes": lambda c: attributes.manifest_page(c, REPOSITORY, START, 9),
    "listing": lambda c: listings.manifests_of(c, REPOSITORY, "", 9, hidden=False),
    "overview by digest": lambda c: overviews.manifests_named(c, IMAGE, ("", ""), 9),
    "overview by blob": lambda c: overviews.users_of(c, REPOSITORY, BLOB, 9),
    "walk": lambda c: image_search.walk(c, HERE, Place(), 9),
    "search among": lambda c: image_search.among(c, HERE, [IMAGE], Place(), 9),
    "search by layer": lambda c: image_search.users_of(c, HERE, BLOB, Place(), 9),
    "events": told_events,
}
OF_A_REPOSITORY: dict[str, Asked] = {
    "catalog": lambda c: repository_rows.listed(c, "", 9, "team/b"),
    "overview by name": lambda c: overviews.names_with(c, "app", "", 9),
    "overview by digest": OF_A_MANIFEST["overview by digest"],
    "overview by blob": lambda c: overviews.repositories_with(c, BLOB, "", 9),
    "walk": OF_A_MANIFEST["walk"],
    "events": told_events,
}
CASES = [
    pytest.param(bearer, asked, id=f"{kind}-{name}")
    for kind, bearer, all_asked in (
        ("tag", V1, OF_A_TAG),
        ("manifest", IMAGE, OF_A_MANIFEST),
        ("repository", THE_REPOSITORY, OF_A_REPOSITORY),
    )
    for name, asked in all_asked.items()
]


@pytest.fixture(name="filled")
def _filled(services: OpenServices) -> OpenServices:
    """With a tagged image, and one without a tag elsewhere."""
    services.run(services.push_image(V1))
    services.run(services.push_image(None, [b"lone"], OTHER))
    return services


def lock(services: OpenServices, bearer: str, name: RepositoryName = REPOSITORY, **against: bool) -> None:
    """Lock something."""
    services.run(services.metadata.write(lambda c: locks.put(c, id_of(c, name), bearer, Locks(**against))))


@pytest.mark.parametrize(("bearer", "asked"), CASES)
def test_a_lock_against_lists(filled: OpenServices, bearer: str, asked: Asked) -> None:
    """Without it something is listed, with it nothing."""
    assert filled.run(filled.metadata.read(asked))
    lock(filled, bearer, lists=True)
    assert not filled.run(filled.metadata.read(asked))


def test_a_lock_against_lists_of_what_has_no_tag(filled: OpenServices) -> None:
    """In the list of these."""
    asked: Asked = lambda c: overviews.untagged_page(c, OTHER, "", 9, 9)[0]  # noqa: E731
    assert filled.run(filled.metadata.read(asked))
    lock(filled, LONE, OTHER, lists=True)
    assert not filled.run(filled.metadata.read(asked))


@pytest.mark.parametrize("against", ["deletes", "writes"])
@pytest.mark.parametrize("bearer", [LONE, THE_REPOSITORY], ids=["manifest", "repository"])
def test_a_lock_against_removal(filled: OpenServices, bearer: str, against: str) -> None:
    """What collections may remove."""
    asked: Asked = lambda c: garbage.loose_manifests(c, 0, Untagged(1e12, 0.0), 9)  # noqa: E731
    assert [each.digest for each in filled.run(filled.metadata.read(asked))] == [LONE]
    lock(filled, bearer, OTHER, **{against: True})
    assert not filled.run(filled.metadata.read(asked))


WITH_LOCKS = select(tags.c.name, lock_rows.c.lists).outerjoin(
    lock_rows, (lock_rows.c.repository_id == tags.c.repository_id) & (lock_rows.c.name == tags.c.name)
)
WITH_HISTORY = (
    select(tags.c.name, history_rows.c.digest)
    .join(repositories)
    .join(history_rows, (history_rows.c.repository == repositories.c.name) & (history_rows.c.tag == tags.c.name))
)


@pytest.mark.parametrize(
    "question",
    [
        WITH_LOCKS.where(locks.listed(tags.c.repository_id, tags.c.name)),
        WITH_LOCKS.where(locks.removable(tags.c.repository_id, tags.c.digest)),
        WITH_HISTORY.where(~tag_history.kept_since(repositories.c.name, tags.c.digest, tags.c.updated)),
    ],
    ids=["listed", "removable", "kept"],
)
def test_a_condition_in_a_statement_that_reads_the_same_rows(filled: OpenServices, question: Select[Any]) -> None:
    """It has rows of its own, and is not lost in those around it."""

    def asked(connection: Connection) -> list[str]:
        return [name for name, _ in connection.execute(question)]

    assert filled.run(filled.metadata.read(asked)) == [V1]
