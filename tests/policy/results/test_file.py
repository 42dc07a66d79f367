"""policy.db: thrown away when it cannot be used."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from policy.results import manifests as inspected_manifests
from policy.results.manifests import InspectedManifest, Kind
from policy.results.sqlite_store import SqliteResults

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
