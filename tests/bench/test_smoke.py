"""The bench runs: every workload in a fraction of a second, and results that must not be compared are not."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.bench.__main__ import main
from tests.bench.basegate import Basegate
from tests.bench.results import Incomparable, Result, comparable, fingerprint, load
from tests.bench.rounds import measure
from tests.bench.workloads import WORKLOADS, Workload

SAMPLE = ("push_streamed", "ranges", "get_manifest", "mixed")


def rows() -> list[Workload]:
    """One workload of each of these flows."""
    return [next(one for one in WORKLOADS if one.flow == flow).small() for flow in SAMPLE]


@pytest.mark.parametrize("workload", rows(), ids=SAMPLE)
def test_a_small_round_runs(workload: Workload, tmp_path: Path) -> None:
    """Server, load generator and figures work together."""
    row = measure(workload, [Basegate("basegate")], 1, tmp_path)
    assert row.median("basegate", "rate") > 0
    assert row.ratio("basegate", "basegate") == 1


def result() -> Result:
    """An empty result of one workload."""
    return Result(fingerprint(WORKLOADS[:1], [Basegate("basegate")], 1), [])


def test_a_result_survives_a_file(tmp_path: Path) -> None:
    """What is saved is what is read."""
    saved = result()
    saved.save(tmp_path / "result.json")
    assert load(tmp_path / "result.json") == saved


@pytest.mark.parametrize("field", ["data", "machine", "settings"])
def test_unlike_results_are_not_compared(field: str, tmp_path: Path) -> None:
    """Other data, another machine or other settings are named."""
    one = result()
    other = Result(replace(one.fingerprint, **{field: {"other": "one"}}), [])  # type: ignore[arg-type]
    with pytest.raises(Incomparable, match="Run both again"):
        comparable(one, other)


def test_like_results_are_compared() -> None:
    """Two runs of the same thing."""
    comparable(result(), result())


def test_the_command_refuses_to_compare_unlike_results(tmp_path: Path) -> None:
    """With the reason, and a status that a script sees."""
    one = result()
    one.save(tmp_path / "a")
    Result(replace(one.fingerprint, data="other"), []).save(tmp_path / "b")
    done = CliRunner().invoke(main, ["compare", str(tmp_path / "a"), str(tmp_path / "b")])
    assert done.exit_code == 1
    assert "data set" in done.output


def test_nothing_listens_afterwards(tmp_path: Path) -> None:
    """A server is ended with its row."""
    (tmp_path / "data").mkdir()
    running = Basegate("basegate").start(tmp_path, "open")
    running.stop()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", running.target.port)):
        pass
