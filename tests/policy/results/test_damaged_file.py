"""policy.db damaged in any way is begun anew, at its start and in use, and no wrong word is read from it."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from policy.results import verdicts
from policy.results.sqlite_store import SqliteResults
from policy.state import State
from tests.policy.results.asking import NAMES, ask, fill

PAGE = 4096
Damage = Callable[[Path, int], None]


def filled(path: Path) -> None:
    """A policy.db with enough rows for some pages of each kind, all in the file itself."""
    results = SqliteResults(path)
    fill(results)
    results.close()


def zeroed(path: Path, page: int) -> None:
    """A page that was never written."""
    _overwrite(path, page * PAGE, bytes(PAGE))


def garbled(path: Path, page: int) -> None:
    """A page of another file."""
    _overwrite(path, page * PAGE, b"\xa5" * PAGE)


def flipped(path: Path, page: int) -> None:
    """A bit of every hundredth byte."""
    content = bytearray(path.read_bytes()[page * PAGE : (page + 1) * PAGE])
    for place in range(60, len(content), 100):
        content[place] ^= 1
    _overwrite(path, page * PAGE, bytes(content))


def cut(path: Path, page: int) -> None:
    """The end is missing."""
    with path.open("r+b") as file:
        file.truncate(page * PAGE + 100)


def _overwrite(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


@pytest.mark.parametrize("damage", [zeroed, garbled, flipped, cut])
@pytest.mark.parametrize("page", range(0, 30, 3))
def test_damage_before_the_start(tmp_path: Path, damage: Damage, page: int) -> None:
    """Whichever page it is."""
    path = tmp_path / "policy.db"
    filled(path)
    damage(path, page)
    results = SqliteResults(path)
    ask(results)
    results.close()


@pytest.mark.parametrize("damage", [zeroed, garbled, flipped, cut])
@pytest.mark.parametrize("page", [0, 5, 14])
def test_damage_while_it_is_in_use(tmp_path: Path, damage: Damage, page: int) -> None:
    """Threads that have read from it before go on with the new one."""
    path = tmp_path / "policy.db"
    filled(path)
    results = SqliteResults(path)
    assert results.read(verdicts.find, "policy", NAMES[0]) is State.REFUSED
    damage(path, page)
    ask(results)
    results.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE verdicts SET state = 'cleared'",
        "UPDATE subjects SET essence = 'another'",
        "UPDATE inspections SET body = x'00'",
        "DROP TABLE verdicts",
    ],
)
def test_rows_that_say_something_else_are_not_believed(tmp_path: Path, change: str) -> None:
    """A flipped bit must never clear an image."""
    path = tmp_path / "policy.db"
    filled(path)
    with sqlite3.connect(path) as other:
        other.execute(change)
    other.close()
    results = SqliteResults(path)
    ask(results)
    results.close()
