"""policy.db: reads at once, writes behind, thrown away when it cannot be used."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from policy.inspection.worker.job import Inspected
from policy.results import layers as inspected_layers
from policy.results import manifests as inspected_manifests
from policy.results import verdicts
from policy.results.counters import counted
from policy.results.manifests import InspectedManifest, Kind
from policy.results.store import ResultStore
from policy.state import State

FOUND = Inspected(b"found", "", 10)
FAILED = Inspected(b"", "it died", 0)


@pytest.fixture
def results(tmp_path: Path) -> Iterator[ResultStore]:
    """An empty policy.db."""
    opened = ResultStore(tmp_path / "policy.db")
    yield opened
    opened.close()


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


def test_later_is_done_before_close(tmp_path: Path) -> None:
    """What was asked for is written when policy.db closes, and there after the next opening."""
    first = ResultStore(tmp_path / "policy.db")
    for number in range(1000):
        first.later(inspected_manifests.save, [subject(f"sha256:{number}")])
    first.close()
    second = ResultStore(tmp_path / "policy.db")
    assert len(second.read(inspected_manifests.essences, "a@1")) == 1000
    second.close()


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


@pytest.mark.parametrize("content", [b"this is no database " * 100, b""])
def test_a_damaged_file_is_thrown_away(tmp_path: Path, content: bytes) -> None:
    """policy.db begins anew over whatever is in its place."""
    (tmp_path / "policy.db").write_bytes(content)
    opened = ResultStore(tmp_path / "policy.db")
    opened.write(inspected_manifests.save, [subject()])
    assert opened.read(inspected_manifests.find, "sha256:1", "a@1") == subject()
    opened.close()


def test_another_versions_file_is_thrown_away(tmp_path: Path) -> None:
    """A policy.db whose tables mean something else is not read."""
    with sqlite3.connect(tmp_path / "policy.db") as other:
        other.execute("CREATE TABLE subjects (something TEXT)")
        other.execute("PRAGMA user_version=999")
    other.close()
    opened = ResultStore(tmp_path / "policy.db")
    assert opened.read(inspected_manifests.essences, "a@1") == {}
    opened.close()


def test_a_file_that_cannot_be_opened_is_not_thrown_away(tmp_path: Path) -> None:
    """A folder in its place is a fault of the machine, and said."""
    (tmp_path / "policy.db").mkdir()
    with pytest.raises(OperationalError):
        ResultStore(tmp_path / "policy.db")
    assert (tmp_path / "policy.db").is_dir()
