"""policy.db: thrown away when it cannot be used."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from policy.results import manifests as inspected_manifests
from policy.results import verdicts
from policy.results.manifests import InspectedManifest, Kind
from policy.results.sqlite_store import SqliteResults
from policy.state import State

SUBJECT = InspectedManifest("sha256:1", Kind.IMAGE, "a@1", "e", final=True, body=b'{"x":1}')


@pytest.mark.parametrize("content", [b"this is no database " * 100, b""])
def test_a_damaged_file_is_thrown_away(tmp_path: Path, content: bytes) -> None:
    """policy.db begins anew over whatever is in its place."""
    (tmp_path / "policy.db").write_bytes(content)
    opened = SqliteResults(tmp_path / "policy.db")
    opened.write(inspected_manifests.save, [SUBJECT])
    assert opened.read(inspected_manifests.find, "sha256:1", "a@1") == SUBJECT
    opened.close()


def test_another_versions_file_is_thrown_away(tmp_path: Path) -> None:
    """A policy.db whose tables mean something else is not read."""
    with sqlite3.connect(tmp_path / "policy.db") as other:
        other.execute("CREATE TABLE subjects (something TEXT)")
        other.execute("PRAGMA user_version=999")
    other.close()
    opened = SqliteResults(tmp_path / "policy.db")
    assert opened.read(inspected_manifests.essences, "a@1") == {}
    opened.close()


def test_the_version_before_keeps_its_verdicts(tmp_path: Path) -> None:
    """And gets the index by which they are counted: no row is looked at for that."""
    path = tmp_path / "policy.db"
    with closing(SqliteResults(path)) as results:
        results.write(verdicts.save, "p1", [("m1", State.CLEARED), ("m2", State.REFUSED)])
    with closing(sqlite3.connect(path)) as older:
        older.executescript("DROP INDEX verdicts_by_state; PRAGMA user_version=3")
    with closing(SqliteResults(path)) as results:
        assert results.read(verdicts.totals, "p1") == {State.CLEARED: 1, State.REFUSED: 1}
    with closing(sqlite3.connect(path)) as opened:
        counted = "SELECT state, count(*) FROM verdicts WHERE policy = 'p1' GROUP BY state"
        (plan,) = opened.execute(f"EXPLAIN QUERY PLAN {counted}").fetchall()
    assert "COVERING INDEX verdicts_by_state" in plan[3]


def test_a_file_that_cannot_be_opened_is_not_thrown_away(tmp_path: Path) -> None:
    """A folder in its place is a fault of the machine, and said."""
    (tmp_path / "policy.db").mkdir()
    with pytest.raises(OperationalError):
        SqliteResults(tmp_path / "policy.db")
    assert (tmp_path / "policy.db").is_dir()


def test_threads_beside_the_loop_keep_few_pages(tmp_path: Path) -> None:
    """There are several of them, which walk through it now and then."""
    results = SqliteResults(tmp_path / "policy.db")

    def kept(connection: Connection) -> int:
        found: int = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
        return -found

    async def both() -> tuple[int, int]:
        return results.read(kept), await asyncio.to_thread(results.read, kept)

    assert asyncio.run(both()) == (512, 128)
    results.close()
