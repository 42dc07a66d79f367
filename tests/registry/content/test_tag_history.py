"""Tag history: what is remembered of a tag, for how long, and going back."""

import asyncio
import random
import time

import pytest
from sqlalchemy import Connection, select

from registry.content.tag_history import roll_back, target_at, target_before
from registry.metadata import events, tag_history, tags, transactions
from registry.metadata.events import Kind
from registry.metadata.tables import manifests as manifest_rows
from registry.metadata.tag_history import Entry, Span
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest
from registry.oci.errors import Denied, Locked, ManifestUnknown, OciError
from registry.oci.names import RepositoryName, Tag
from tests.registry.ageing import HOUR, age
from tests.registry.open_services import OTHER, PUSHER, REPOSITORY, OpenServices, image

V1 = Tag("v1")
ONE, TWO = image((b"one",)), image((b"two",))
FIRST, SECOND = Digest.of(ONE), Digest.of(TWO)
DAY = 24 * HOUR


def history(services: OpenServices, tag: Tag = V1) -> list[Entry]:
    """All entries, the newest first."""
    return services.run(services.metadata.read(tag_history.page, REPOSITORY, tag, Span(), 1000))


def told(services: OpenServices, tag: Tag = V1) -> list[tuple[Digest, bool]]:
    """Digest, and whether it is a deletion, the oldest first."""
    return [(entry.digest, entry.deleted) for entry in reversed(history(services, tag))]


def moved(services: OpenServices) -> None:
    """A tag that points at its second image."""
    services.run(services.push_image(V1, (b"one",)))
    services.run(services.push_image(V1, (b"two",)))


def rolled(services: OpenServices, target: Digest, *, frozen: bool = False) -> Digest | None:
    """The tag set back."""
    at = ChangeContext(REPOSITORY, PUSHER.id, 5e9, cause="rollback")
    return services.run(services.metadata.write(roll_back, at, V1, target, frozen=frozen))


def test_each_move_is_an_entry(services: OpenServices) -> None:
    """With type, size and pusher; a push that moves nothing is none."""
    moved(services)
    services.run(services.push_image(V1, (b"two",)))
    assert told(services) == [(FIRST, False), (SECOND, False)]
    entry = history(services)[0]
    assert (entry.size, entry.principal, entry.media_type) == (
        len(TWO),
        PUSHER.id,
        "application/vnd.oci.image.manifest.v1+json",
    )


@pytest.mark.parametrize("what", ["tag", "manifest", "repository"])
def test_history_outlives_what_is_deleted(services: OpenServices, what: str) -> None:
    """The tag, its manifest or its repository: the last entry says what it pointed at before."""
    moved(services)
    if what == "repository":
        services.run(services.manifests.delete_all(PUSHER, REPOSITORY))
    else:
        services.run(services.manifests.delete(REPOSITORY, V1 if what == "tag" else SECOND, PUSHER))
    assert told(services) == [(FIRST, False), (SECOND, False), (SECOND, True)]


def test_a_deleted_tag_may_come_again(services: OpenServices) -> None:
    """A further entry."""
    moved(services)
    services.run(services.manifests.delete(REPOSITORY, V1))
    services.run(services.push_image(V1, (b"one",)))
    assert told(services)[2:] == [(SECOND, True), (FIRST, False)]


def test_the_past_can_be_read(services: OpenServices) -> None:
    """By a time: before, between, after a deletion."""
    moved(services)
    services.run(services.manifests.delete(REPOSITORY, V1))
    deleted, second, first = history(services)
    read = services.metadata.read
    assert services.run(read(target_at, REPOSITORY, V1, first.time)) == FIRST
    assert services.run(read(target_at, REPOSITORY, V1, second.time)) == SECOND
    with pytest.raises(ManifestUnknown, match="was deleted then"):
        services.run(read(target_at, REPOSITORY, V1, deleted.time))
    with pytest.raises(ManifestUnknown, match="does not go back so far"):
        services.run(read(target_at, REPOSITORY, V1, first.time - 1))


def test_a_tag_goes_back_in_one_event(services: OpenServices) -> None:
    """Which says that it was set back, and from where."""
    moved(services)
    newest = services.run(services.metadata.read(events.ends))[1]
    assert services.run(services.metadata.read(target_before, REPOSITORY, V1)) == FIRST
    assert rolled(services, FIRST) == SECOND
    (recorded,) = services.run(services.metadata.read(events.after, newest, 10))
    assert (recorded.event.kind, recorded.event.digest) == (Kind.TAG_SET, FIRST)
    assert recorded.event.details == {"previous": SECOND, "cause": "rollback"}
    assert services.run(services.metadata.read(tags.find, REPOSITORY, V1)) == FIRST


@pytest.mark.parametrize("last", [b"two", b"three"])
def test_going_back_looks_behind_deletions(services: OpenServices, last: bytes) -> None:
    """A tag that was deleted and pushed again goes back to the newest manifest that it is not at."""
    moved(services)
    services.run(services.manifests.delete(REPOSITORY, V1))
    services.run(services.push_image(V1, (last,)))
    back = services.run(services.metadata.read(target_before, REPOSITORY, V1))
    assert back == (FIRST if last == b"two" else SECOND)


def test_a_deleted_tag_goes_back_to_what_it_was(services: OpenServices) -> None:
    """The last that it pointed at."""
    moved(services)
    services.run(services.manifests.delete(REPOSITORY, V1))
    assert services.run(services.metadata.read(target_before, REPOSITORY, V1)) == SECOND


def test_a_tag_stays_where_it_is(services: OpenServices) -> None:
    """Going back to the present manifest changes nothing, and tells nothing."""
    moved(services)
    newest = services.run(services.metadata.read(events.ends))[1]
    assert rolled(services, SECOND) == SECOND
    assert services.run(services.metadata.read(events.ends))[1] == newest


def test_a_tag_goes_back_to_what_it_was_only(services: OpenServices) -> None:
    """Not to a manifest that it has never pointed at, nor to one that is gone."""
    moved(services)
    services.run(services.push_image(Tag("other"), (b"three",)))
    with pytest.raises(ManifestUnknown, match="never pointed"):
        rolled(services, Digest.of(image((b"three",))))
    services.run(services.manifests.delete(REPOSITORY, FIRST))
    with pytest.raises(ManifestUnknown, match="not in team/app any more"):
        rolled(services, FIRST)


def test_what_must_not_move_does_not_go_back(services: OpenServices) -> None:
    """Neither an immutable tag nor a locked one."""
    moved(services)
    with pytest.raises(Denied):
        rolled(services, FIRST, frozen=True)
    services.run(services.attributes.lock(PUSHER, REPOSITORY, V1, {"writes": True}))
    with pytest.raises(Locked):
        rolled(services, FIRST)
    assert told(services)[-1] == (SECOND, False)


@pytest.mark.parametrize(("keep_days", "left"), [(0.0, 1), (3.0, 2)])
def test_history_keeps_manifests(services: OpenServices, keep_days: float, left: int) -> None:
    """What a tag has left is not collected for some days."""
    services.configure(gc={"untagged_after_seconds": int(DAY)}, history={"keep_days": keep_days})
    moved(services)
    age(services, 2 * DAY)
    services.run(services.collector.run())
    read = services.metadata.read
    there = [digest for digest in (FIRST, SECOND) if services.run(read(_is_there, digest))]
    assert len(there) == left


def _is_there(connection: Connection, digest: Digest) -> bool:
    return connection.execute(select(manifest_rows.c.id).where(manifest_rows.c.digest == digest)).first() is not None


def test_history_is_a_reason(services: OpenServices) -> None:
    """`gc explain` names the tag and the setting."""
    services.configure(history={"keep_days": 3})
    moved(services)
    explained = services.run(services.collector.explain(FIRST))
    assert any("history keeps it in team/app: tag v1 pointed at it until" in each for each in explained.reasons)


def test_old_entries_are_forgotten(services: OpenServices) -> None:
    """Those that have ceased to count; the present one stays whatever its age."""
    moved(services)
    assert services.run(services.metadata.write(tag_history.forget_before, 1e12)) == 1
    assert told(services) == [(SECOND, False)]


def test_the_page_of_history_is_bounded(services: OpenServices) -> None:
    """By the setting and by what is asked for; it goes on from where it ended."""
    moved(services)
    page = services.run(services.tag_history.page(PUSHER, REPOSITORY, V1, Span(), 1))
    assert [entry.digest for entry in page.entries] == [SECOND]
    rest = services.run(services.tag_history.page(PUSHER, REPOSITORY, V1, Span(below=page.below), 1))
    assert ([entry.digest for entry in rest.entries], rest.below) == ([FIRST], None)


def test_history_equals_the_replay_of_events(services: OpenServices) -> None:
    """Of 64 writers that set, move, delete, bring back and roll back the same few tags, in two repositories."""
    for content in (b"one", b"two", b"three"):
        for repository in (REPOSITORY, OTHER):
            services.run(services.push_image(Tag("seed"), (content,), repository))
    services.run(_sixty_four(services))
    history_rows, replayed, present = services.run(services.metadata.read(_three_accounts))
    assert history_rows == replayed
    assert {key: rows[-1][0] for key, rows in replayed.items() if not rows[-1][1]} == present
    assert sum(map(len, replayed.values())) > 200


async def _sixty_four(services: OpenServices) -> None:
    async def write(number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - a test's own
        for _ in range(8):
            repository, tag = chance.choice((REPOSITORY, OTHER)), Tag(chance.choice("abc"))
            try:
                if chance.random() < 0.2:
                    await services.manifests.delete(repository, tag)
                elif chance.random() < 0.05:
                    at = ChangeContext(repository, "", float(number))
                    await services.metadata.write(transactions.drop_repository, at)
                elif chance.random() < 0.2:
                    await _back(services, repository, tag)
                else:
                    layers = (chance.choice((b"one", b"two", b"three")),)
                    await services.push_image(tag, layers, repository)
            except OciError:
                continue  # what it needs was deleted by another

    await asyncio.gather(*(write(number) for number in range(64)))


async def _back(services: OpenServices, repository: RepositoryName, tag: Tag) -> None:
    target = await services.metadata.read(target_before, repository, tag)
    at = ChangeContext(repository, PUSHER.id, time.time(), cause="rollback")
    await services.metadata.write(roll_back, at, tag, target, frozen=False)


Account = dict[tuple[str, str], list[tuple[str, bool]]]


def _three_accounts(connection: Connection) -> tuple[Account, Account, dict[tuple[str, str], str]]:
    """The history, what events say, and where tags point."""
    kept: Account = {}
    rows = connection.exec_driver_sql("SELECT repository, tag, digest, deleted FROM tag_history ORDER BY id").all()
    for repository, tag, digest, deleted in rows:
        kept.setdefault((repository, tag), []).append((digest, bool(deleted)))
    present = connection.exec_driver_sql(
        "SELECT repositories.name, tags.name, digest FROM tags JOIN repositories ON repository_id = repositories.id"
    ).all()
    return kept, _replayed(connection), {(repository, tag): digest for repository, tag, digest in present}


def _replayed(connection: Connection) -> Account:
    account: Account = {}
    for recorded in events.after(connection, 0, 1_000_000):
        event = recorded.event
        if event.kind == Kind.TAG_SET:
            account.setdefault((event.repository, event.tag), []).append((event.digest, False))
        elif event.kind == Kind.TAG_DELETED:
            account[event.repository, event.tag].append((event.digest, True))
        elif event.kind == Kind.REPOSITORY_DELETED:
            for (repository, _), entries in account.items():
                if repository == event.repository and not entries[-1][1]:
                    entries.append((entries[-1][0], True))
    return account
