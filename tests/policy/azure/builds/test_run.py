"""Runs: their ids, how long they took in words, and what is kept of them."""

import json
from pathlib import Path

import pytest

from policy.azure.builds.run import Run, RunStatus, duration, run_id
from policy.azure.builds.run_store import RunStore


@pytest.mark.parametrize(("seconds", "words"), [(0, "0s"), (5.9, "5s"), (176, "2m56s"), (60, "1m0s"), (3603, "1h0m3s")])
def test_how_long_it_took(seconds: float, words: str) -> None:
    """Whole seconds, as the service says it."""
    assert duration(seconds) == words


def test_ids_only_rise() -> None:
    """`ca1`, `ca2`, …: letters and digits, none twice."""
    ids = [run_id(number) for number in range(1, 2000)]
    assert ids[:2] == ["ca1", "ca2"]
    assert len(set(ids)) == len(ids)
    assert all(each.isalnum() for each in ids)


def test_a_run_is_kept(tmp_path: Path) -> None:
    """Another process reads what was recorded."""
    store = RunStore(tmp_path)
    run = store.begin("1", "tester", "linux/amd64")
    run.status, run.finished = RunStatus.SUCCEEDED, 10.0
    store.save(run)
    assert RunStore(tmp_path).find(run.id) == run


def test_a_run_that_the_server_left_is_over(tmp_path: Path) -> None:
    """Its log says why, and az does not wait for it for ever."""
    run = RunStore(tmp_path).begin("1", "tester", "linux/amd64")
    after = RunStore(tmp_path)
    found = after.find(run.id)
    assert found is not None
    assert found.status is RunStatus.ERROR
    assert "the server ended" in after.log_of(run.id).read_text(encoding="utf-8")


def test_the_oldest_runs_go(tmp_path: Path) -> None:
    """With their logs; their ids are not given again."""
    store = RunStore(tmp_path)
    for _ in range(3):
        run = store.begin("1", "tester", "linux/amd64")
        run.status = RunStatus.FAILED
    store.trim(1)
    assert [each.id for each in store.newest()] == ["ca3"]
    assert not (tmp_path / "ca1").exists()
    assert store.begin("1", "tester", "linux/amd64").id == "ca4"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id": 1}'])
def test_a_record_that_is_damaged_is_left_out(tmp_path: Path, text: str) -> None:
    """The others are there."""
    store = RunStore(tmp_path)
    kept, damaged = (store.begin("1", "tester", "linux/amd64") for _ in range(2))
    (tmp_path / damaged.id / "run.json").write_text(text, encoding="utf-8")
    assert [each.id for each in RunStore(tmp_path).newest()] == [kept.id]


def test_properties_are_in_the_words_of_acr() -> None:
    """What `az acr task list-runs` prints."""
    run = Run("ca1", "1", "tester", ["a:v1"], "linux/arm64/v8", 1.0)
    shown = run.properties("localhost:5000")
    assert (shown["runId"], shown["status"], shown["runType"]) == ("ca1", "Queued", "QuickBuild")
    assert shown["platform"] == {"os": "linux", "architecture": "arm64", "variant": "v8"}
    assert json.dumps(shown)
