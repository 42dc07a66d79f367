"""What every store of results promises (`policy.results.store`), shown on each: reads at once, writes behind."""

from collections.abc import Callable
from typing import cast

from sqlalchemy import Connection

from policy.inspection.worker.job import Inspected
from policy.results import layers as inspected_layers
from policy.results import leftovers, verdicts
from policy.results import manifests as inspected_manifests
from policy.results.counters import FORGOTTEN, count, counted
from policy.results.leftovers import Leftovers
from policy.results.manifests import InspectedManifest, Kind
from policy.results.store import ResultStore
from policy.state import State
from tests.waiting import wait_until

FOUND = Inspected(b"found", "", 10)
FAILED = Inspected(b"", "it died", 0)


def subject(manifest: str = "sha256:1", detectors: str = "a@1", essence: str = "e") -> InspectedManifest:
    """A subject."""
    return InspectedManifest(manifest, Kind.IMAGE, detectors, essence, final=True, body=b'{"x":1}')


def fail(_connection: Connection) -> None:
    """A change that cannot be made."""
    raise ValueError("no")


def test_inspections_are_kept_by_layer_and_detectors(results: ResultStore) -> None:
    """Another set of detectors has its own inspection."""
    results.write(inspected_layers.save, "sha256:1", "a@1", FOUND)
    assert results.read(inspected_layers.find, "sha256:1", "a@1") == Inspected(b"found", "", 0)
    assert results.read(inspected_layers.find, "sha256:1", "a@2") is None
    assert results.read(inspected_layers.find, "sha256:2", "a@1") is None


def test_a_failure_never_replaces_an_inspection(results: ResultStore) -> None:
    """An inspection replaces a failure, not the other way round."""
    for found in (FAILED, FOUND, FAILED):
        results.write(inspected_layers.save, "sha256:1", "a@1", found)
    found_last = results.read(inspected_layers.find, "sha256:1", "a@1")
    assert found_last is not None
    assert found_last.body == b"found"


def test_what_was_read_is_counted(results: ResultStore) -> None:
    """Layers and bytes add up; a failure that read nothing does not count."""
    for found in (FOUND, FOUND, FAILED):
        results.write(inspected_layers.save, "sha256:1", "a@1", found)
    assert results.read(counted, "layers_opened") == 2
    assert results.read(counted, "bytes_opened") == 20


def test_texts_of_others_may_hold_anything(results: ResultStore) -> None:
    """A NUL, which PostgreSQL does not keep, and more than its indexes hold."""
    seen = InspectedManifest("m", Kind.IMAGE, "a@1", "e" * 100_000, final=True, body=b"{}", platform="li\0nux/amd64")
    results.write(inspected_manifests.save, [seen])
    results.write(inspected_layers.save, "sha256:1", "a@1", Inspected(b"", "no\0thing", 0))
    assert results.read(inspected_manifests.find, "m", "a@1") == seen
    assert results.read(inspected_layers.find, "sha256:1", "a@1") == Inspected(b"", "nothing", 0)


def test_a_subject_comes_back_whole(results: ResultStore) -> None:
    """What was kept is found, until it is forgotten."""
    results.write(inspected_manifests.save, [subject()])
    assert results.read(inspected_manifests.find, "sha256:1", "a@1") == subject()
    results.write(inspected_manifests.forget, "sha256:1")
    assert results.read(inspected_manifests.find, "sha256:1", "a@1") is None


def test_the_present_detectors_count_before_earlier_ones(results: ResultStore) -> None:
    """What earlier detectors saw stands until the present ones have looked."""
    results.write(inspected_manifests.save, [subject(detectors="a@1", essence="old")])
    found = results.read(inspected_manifests.find, "sha256:1", "a@2")
    assert found is not None
    assert found.essence == "old"
    results.write(inspected_manifests.save, [subject(detectors="a@2", essence="new")])
    assert results.read(inspected_manifests.essences, "a@2") == {"sha256:1": ("new", True)}


def test_verdicts_are_kept_by_policy(results: ResultStore) -> None:
    """Policies do not see each other's verdicts."""
    results.write(verdicts.save, "p1", [("m1", State.CLEARED), ("m2", State.REFUSED)])
    results.write(verdicts.save, "p2", [("m1", State.REFUSED)])
    assert results.read(verdicts.find, "p1", "m1") is State.CLEARED
    assert results.read(verdicts.all_states, "p2") == {"m1": State.REFUSED}
    assert results.read(verdicts.totals, "p1") == {State.CLEARED: 1, State.REFUSED: 1}
    results.write(verdicts.forget_policy, "p1")
    assert results.read(verdicts.totals, "p1") == {}


def test_verdicts_are_counted_with_every_change(results: ResultStore) -> None:
    """New ones, those that turn, and those that go."""
    results.write(verdicts.save, "p1", [(f"m{number}", State.CLEARED) for number in range(5)])
    results.write(verdicts.save, "p1", [("m1", State.REFUSED), ("m2", State.CLEARED)])
    assert results.read(verdicts.totals, "p1") == {State.CLEARED: 4, State.REFUSED: 1}
    results.write(verdicts.forget, "m1")
    results.write(leftovers.forget, Leftovers(manifests=frozenset({"m2", "m3"})))
    assert results.read(verdicts.totals, "p1") == {State.CLEARED: 2}


def test_later_is_done_before_close(reopen: Callable[[], ResultStore]) -> None:
    """What was asked for is written when the store closes, and there after the next opening."""
    first = reopen()
    for number in range(1000):
        first.later(inspected_manifests.save, [subject(f"sha256:{number}")])
    first.close()
    assert len(reopen().read(inspected_manifests.essences, "a@1")) == 1000


def test_one_bad_change_does_not_spoil_its_neighbours(results: ResultStore) -> None:
    """Each change of a batch fails alone, and its asker hears of it."""
    before = [results.later(inspected_manifests.save, [subject(f"sha256:{number}")]) for number in range(5)]
    bad = results.later(fail)
    after = [results.later(inspected_manifests.save, [subject(f"sha256:{number}")]) for number in range(5, 10)]
    assert isinstance(bad.exception(), ValueError)
    assert [done.exception() for done in (*before, *after)] == [None] * 10
    assert len(results.read(inspected_manifests.essences, "a@1")) == 10


def test_gathered_items_are_added_and_a_bad_one_spoils_none(results: ResultStore) -> None:
    """What is gathered is written with all others of its kind, each by itself where one cannot be written."""
    for number in range(5):
        results.gather(inspected_manifests.save, subject(f"sha256:{number}"))
        results.gather(verdicts.save_each, ("p", f"sha256:{number}", State.CLEARED))
    results.gather(verdicts.save_each, ("p", cast("str", None), State.CLEARED))
    results.settle()
    assert len(results.read(inspected_manifests.essences, "a@1")) == 5
    assert len(results.read(verdicts.all_states, "p")) == 5


def test_gathered_items_keep_their_place_among_changes(results: ResultStore) -> None:
    """What is forgotten after it was gathered is gone; what is gathered after it was forgotten is there."""
    results.gather(inspected_manifests.save, subject("sha256:1"))
    results.later(inspected_manifests.forget, "sha256:1")
    results.later(inspected_manifests.forget, "sha256:2")
    results.gather(inspected_manifests.save, subject("sha256:2"))
    results.settle()
    assert set(results.read(inspected_manifests.essences, "a@1")) == {"sha256:2"}


def test_a_write_is_seen_by_another_process(reopen: Callable[[], ResultStore]) -> None:
    """A second store over the same database reads what the first has written."""
    first, second = reopen(), reopen()
    first.write(verdicts.save, "p", [("m", State.REFUSED)])
    assert second.read(verdicts.find, "p", "m") is State.REFUSED


def test_states_of_before_a_new_inspection_are_not_saved(reopen: Callable[[], ResultStore]) -> None:
    """Whichever process asked for the inspection."""
    first, second = reopen(), reopen()
    number = first.read(verdicts.superseded)
    second.write(verdicts.forget, "m")
    assert not first.write(verdicts.save_unless, number, "p", [("m", State.CLEARED)])
    assert first.write(verdicts.save_unless, number + 1, "p", [("m", State.REFUSED)])
    assert second.read(verdicts.all_states, "p") == {"m": State.REFUSED}


def test_others_are_told_of_new_inspections(reopen: Callable[[], ResultStore]) -> None:
    """What any process remembers counts no more."""
    stores = [reopen(), reopen()]
    before = [each.generation() for each in stores]
    stores[0].write(count, FORGOTTEN, 1)
    wait_until(lambda: all(each.generation() != number for each, number in zip(stores, before, strict=True)))


def test_what_nobody_needs_is_forgotten(results: ResultStore) -> None:
    """Rows of manifests, layers and policies that are gone."""
    results.write(inspected_manifests.save, [subject("sha256:1"), subject("sha256:2")])
    results.write(inspected_layers.save, "sha256:l", "a@1", FOUND)
    results.write(verdicts.save, "p", [("sha256:1", State.CLEARED), ("sha256:2", State.CLEARED)])
    gone = Leftovers(frozenset(["sha256:1"]), frozenset(["sha256:l"]), frozenset(["q"]))
    assert results.write(leftovers.forget, gone) == 4
    assert results.read(leftovers.inspected, "", 10) == results.read(leftovers.judged, "p", "", 10) == ["sha256:2"]
    assert (results.read(leftovers.layers, "", 10), results.read(leftovers.policies)) == ([], ["p"])
