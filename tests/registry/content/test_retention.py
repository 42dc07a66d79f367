"""Plans of retention and their runs over a real data folder."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from registry.content.retention import (
    Marks,
    Plan,
    Retention,
    RetentionRefused,
    RetentionReport,
    plan_as_json,
    plan_from_json,
)
from registry.maintenance.undo import undo
from registry.metadata import holds, last_pulls, locks, transactions
from registry.metadata.events import Kind
from registry.metadata.holds import Hold
from registry.metadata.last_pulls import Pull
from registry.metadata.locks import Locks
from registry.metadata.manifests import find
from registry.metadata.repositories import find as repository_id
from registry.metadata.tables import events
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from tests.registry.ageing import age
from tests.registry.open_services import OTHER, REPOSITORY, OpenServices, descriptor, image, index, open_services

V1, V2, DEV = Tag("v1"), Tag("v2"), Tag("dev")
DAY = 86_400.0
LATER = 1e10
"""A time at which everything here is old."""


@pytest.fixture(name="services")
def _services(tmp_path: Path) -> Iterator[OpenServices]:
    with open_services(tmp_path) as services:
        yield services


def rules(*keep: dict[str, Any], then: str = "delete", **more: Any) -> dict[str, Any]:
    """One rule."""
    return {"retention": {"rules": [{"keep": keep, "else": then, **more}]}}


def retention(services: OpenServices, *keep: dict[str, Any], since: float | None = None, **more: Any) -> Retention:
    """Of a folder, by a rule."""
    services.configure(**rules(*keep, **more))
    return Retention(services.metadata, services.settings, None, lambda: since)


def push(services: OpenServices, tag: Tag | None, layer: bytes, name: RepositoryName = REPOSITORY) -> Digest:
    """Push an image of one layer."""
    return services.run(services.push_image(tag, [layer], name)).digest


def named(plan: Plan) -> list[str]:
    """Tags and digests that nothing keeps."""
    return [item.tag or item.digest for item in plan.unkept]


def applied(services: OpenServices, work: Retention) -> RetentionReport:
    """Make a plan and run it."""
    return services.run(work.run(services.run(work.plan(LATER))))


def there(services: OpenServices, digest: Digest) -> bool:
    """Whether the repository has a manifest."""
    return services.run(services.metadata.read(find, REPOSITORY, digest)) is not None


def kinds(services: OpenServices) -> list[tuple[str, str, str]]:
    """What has happened: kind, tag, digest."""

    def read(connection: Connection) -> list[tuple[str, str, str]]:
        rows = connection.execute(select(events.c.kind, events.c.tag, events.c.digest).order_by(events.c.id))
        return [(kind, tag, digest) for kind, tag, digest in rows]

    return services.run(services.metadata.read(read))


def test_a_run_removes_what_the_plan_says(services: OpenServices) -> None:
    """The tag and its manifest, each with an event; what is kept is as it was."""
    old, new = push(services, DEV, b"old"), push(services, V1, b"new")
    report = applied(services, retention(services, {"tags": ["v*"]}))
    assert [(item.tag, item.digest) for item in report.removed] == [("dev", old), ("", old)]
    assert (services.run(services.tag_names()), there(services, old), there(services, new)) == ((V1,), False, True)
    assert kinds(services)[-2:] == [(Kind.TAG_DELETED, "dev", old), (Kind.MANIFEST_DELETED, "", old)]


def test_a_plan_changes_nothing(services: OpenServices) -> None:
    """Made as often as anybody likes, it is the same."""
    push(services, DEV, b"old")
    work, before = retention(services, {"tags": ["v*"]}), kinds(services)
    assert services.run(work.plan(LATER)) == services.run(work.plan(LATER))
    assert kinds(services) == before


def test_what_no_rule_keeps_is_only_reported_without_else_delete(services: OpenServices) -> None:
    """Nothing goes because somebody has forgotten something."""
    push(services, DEV, b"old")
    work = retention(services, {"tags": ["v*"]}, then="report")
    plan = services.run(work.plan(LATER))
    assert (len(plan.unkept), plan.removed) == (2, ())
    assert services.run(work.run(plan)).removed == ()


def test_a_repository_without_a_rule_is_left_alone(services: OpenServices) -> None:
    """It is not even reported."""
    push(services, DEV, b"old", OTHER)
    plan = services.run(retention(services, {"tags": ["v*"]}, repositories=["team/app"]).plan(LATER))
    assert (plan.unkept, plan.kept) == ((), {})


def test_a_run_is_undone_from_the_trash(services: OpenServices) -> None:
    """Tags and manifests, under the name of the run."""
    old = push(services, DEV, b"old")
    report = applied(services, retention(services, {"tags": ["v*"]}))
    undone = services.run(undo(services.storage, services.metadata, report.run))
    assert (undone.manifests, undone.tags, undone.left) == (1, 1, ())
    assert (services.run(services.tag_names()), there(services, old)) == ((DEV,), True)


@pytest.mark.parametrize("change", ["push", "delete", "hold", "lock"])
def test_a_plan_that_is_older_than_the_state_is_refused(services: OpenServices, change: str) -> None:
    """Whatever has changed of what it says, nothing is removed."""
    old = push(services, DEV, b"old")
    work = retention(services, {"tags": ["v*"]})
    plan = services.run(work.plan(LATER))
    if change == "push":
        push(services, V2, b"old")
    elif change == "delete":
        services.run(services.metadata.write(transactions.drop_tag, ChangeContext(REPOSITORY, "", 1.0), DEV))
    elif change == "hold":
        services.run(services.metadata.write(holds.place, Hold("work/1", REPOSITORY, old, "work 1 needs it", 1.0)))
    else:
        services.run(services.metadata.write(lock, DEV))
    with pytest.raises(RetentionRefused, match="is older than the state"):
        services.run(work.run(plan))
    assert there(services, old)


def lock(connection: Connection, tag: Tag) -> None:
    """Lock a tag against deletes."""
    here = repository_id(connection, REPOSITORY)
    assert here is not None
    locks.put(connection, here, tag, Locks(deletes=True))


def test_a_push_of_something_else_does_not_matter(services: OpenServices) -> None:
    """A plan holds while all that it says still holds."""
    push(services, DEV, b"old")
    work = retention(services, {"tags": ["v*"]})
    plan = services.run(work.plan(LATER))
    push(services, V1, b"another")
    assert len(services.run(work.run(plan)).removed) == 2


def test_other_rules_make_a_plan_old(services: OpenServices) -> None:
    """They are part of the state."""
    push(services, DEV, b"old")
    plan = services.run(retention(services, {"tags": ["v*"]}).plan(LATER))
    with pytest.raises(RetentionRefused, match="is older than the state"):
        services.run(retention(services, {"tags": ["v*"]}, then="report").run(plan))


def test_a_plan_may_be_kept_in_a_file(services: OpenServices) -> None:
    """It is the same afterwards; one that was changed is none."""
    push(services, DEV, b"old")
    plan = services.run(retention(services, {"tags": ["v*"]}).plan(LATER))
    document = plan_as_json(plan)
    assert plan_from_json(json.dumps(document).encode()) == plan
    document["unkept"][0]["tag"] = "v1"
    for text in (json.dumps(document), "{}", "[]", "no"):
        with pytest.raises(RetentionRefused, match="no plan"):
            plan_from_json(text.encode())


def test_parts_and_referrers_go_with_what_they_belong_to(services: OpenServices) -> None:
    """Of an index that goes; those of one that stays stay."""
    first, second = push(services, None, b"one"), push(services, None, b"two")
    services.run(services.push_manifest(index(image([b"one"])), DEV))
    services.run(services.push_manifest(index(image([b"two"])), V1))
    signatures = [
        services.run(services.push_manifest(image((), subject=descriptor(image([layer]))))).digest
        for layer in (b"one", b"two")
    ]
    applied(services, retention(services, {"tags": ["v*"]}))
    assert [there(services, digest) for digest in (first, second, *signatures)] == [False, True, False, True]


def test_pull_times_that_are_not_recorded_are_not_asked(services: OpenServices) -> None:
    """Nothing is planned, and the message says what to set."""
    with pytest.raises(RetentionRefused, match=r"pulls\.interval_seconds"):
        services.run(retention(services, {"pulled_days": 30}).plan(LATER))


def test_what_was_pulled_lately_is_kept(services: OpenServices) -> None:
    """By its tag."""
    kept, gone = push(services, V1, b"one"), push(services, V2, b"two")
    pull = Pull(REPOSITORY, "v1", "", LATER - DAY)
    services.run(services.metadata.write(last_pulls.note, [pull]))
    plan = services.run(retention(services, {"pulled_days": 30}, since=1.0).plan(LATER))
    assert (named(plan), kept in named(plan)) == (["v2", gone], False)


def test_a_pull_by_digest_keeps_the_tag(services: OpenServices) -> None:
    """Clusters deploy by digest: with the tag would go what they run."""
    kept, gone = push(services, V1, b"one"), push(services, V2, b"two")
    pull = Pull(REPOSITORY, kept, "", LATER - DAY)
    services.run(services.metadata.write(last_pulls.note, [pull]))
    plan = services.run(retention(services, {"pulled_days": 30}, since=1.0).plan(LATER))
    assert named(plan) == ["v2", gone]


@pytest.mark.parametrize(("before", "gone"), [(3659.0, False), (3661.0, True)])
def test_a_pull_may_be_later_than_it_was_written(services: OpenServices, before: float, gone: bool) -> None:
    """By an hour, in which the same pull is not written again, and a minute, in which it waits in memory."""
    push(services, V1, b"one")
    pull = Pull(REPOSITORY, "v1", "", LATER - 30 * DAY - before)
    services.run(services.metadata.write(last_pulls.note, [pull]))
    plan = services.run(retention(services, {"pulled_days": 30}, since=1.0).plan(LATER))
    assert ("v1" in named(plan)) == gone


def test_what_is_held_or_immutable_stays(services: OpenServices) -> None:
    """A deployment holds the image that it starts from."""
    held = push(services, DEV, b"old")
    push(services, V2, b"new")
    services.run(services.metadata.write(holds.place, Hold("work/1", REPOSITORY, held, "work 1 needs it", 1.0)))
    work = retention(services, {"newest": 0})
    services.configure(**rules({"newest": 0}), immutable_tags=[{"tags": ["v2"]}])
    judged = services.run(work.explain(REPOSITORY))
    assert judged is not None
    assert (judged.unkept, judged.kept["dev"]) == ((), "it is held: work 1 needs it")
    assert judged.kept["v2"] == "it is immutable"


def test_a_word_that_nobody_knows_is_refused(services: OpenServices) -> None:
    """Else a slip of the pen would keep nothing."""

    async def nothing(_name: RepositoryName, _digests: object) -> dict[Digest, list[str]]:
        return {}

    services.configure(**rules({"marked": ["clear"]}))
    work = Retention(services.metadata, services.settings, Marks(frozenset({"cleared"}), nothing), lambda: None)
    with pytest.raises(RetentionRefused, match="marked 'clear', known is cleared"):
        services.run(work.plan(LATER))


def test_untagged_manifests_go_after_a_while(services: OpenServices) -> None:
    """What az's retention policy does."""
    old = push(services, None, b"old")
    push(services, V1, b"new")
    report = applied(services, retention(services, {"untagged": True, "younger_days": 7}))
    assert [(item.tag, item.digest) for item in report.removed] == [("", old)]


def test_an_order_counts_where_no_rule_mentions_untagged_manifests(services: OpenServices) -> None:
    """Beside a rule that only reports, and in repositories without one."""
    here, elsewhere = push(services, None, b"one"), push(services, None, b"two", OTHER)
    push(services, DEV, b"three")
    services.configure(**rules({"tags": ["v*"]}, then="report", repositories=["team/app"]))
    work = Retention(services.metadata, services.settings, None, lambda: None, lambda: 30)
    assert [item.digest for item in services.run(work.plan(LATER)).removed] == [here, elsewhere]
    assert [item.digest for item in applied(services, work).removed] == [here, elsewhere]
    assert services.run(services.tag_names()) == (DEV,)


def test_orders_are_read_once(services: OpenServices) -> None:
    """However many repositories there are; and in no thread that serves."""
    threads: list[threading.Thread] = []
    for name in (REPOSITORY, OTHER):
        push(services, DEV, b"old", name)

    def ordered() -> None:
        threads.append(threading.current_thread())

    services.configure(**rules({"tags": ["v*"]}))
    work = Retention(services.metadata, services.settings, None, lambda: None, ordered)
    services.run(work.plan(LATER))
    assert (len(threads), threading.main_thread() in threads) == (1, False)


def test_a_rule_of_untagged_manifests_goes_before_an_order(services: OpenServices) -> None:
    """The settings say more."""
    push(services, None, b"one")
    services.configure(**rules({"untagged": True}))
    work = Retention(services.metadata, services.settings, None, lambda: None, lambda: 0)
    assert services.run(work.plan(LATER)).unkept == ()


def test_an_image_that_a_tag_has_left_is_untagged_from_then_on(services: OpenServices) -> None:
    """However long ago it was pushed."""
    old = push(services, DEV, b"old")
    age(services, 100 * DAY)
    push(services, DEV, b"new")
    work = retention(services, {"untagged": True, "younger_days": 7})
    now = time.time()
    assert services.run(work.plan(now + 6 * DAY)).unkept == ()
    assert [item.digest for item in services.run(work.plan(now + 8 * DAY)).removed] == [old]


def test_history_keeps_what_a_tag_has_left_lately(services: OpenServices) -> None:
    """As it does in a collection."""
    old = push(services, DEV, b"old")
    push(services, DEV, b"new")
    work = retention(services, {"untagged": True, "newest": 0})
    services.configure(**rules({"untagged": True, "newest": 0}), history={"keep_days": 30})
    now = time.time()
    assert services.run(work.plan(now + 29 * DAY)).unkept == ()
    assert [item.digest for item in services.run(work.plan(now + 31 * DAY)).removed] == [old]
