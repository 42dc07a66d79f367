"""Opening the metadata: made, found, migrated, refused."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from registry.database.sqlite import connect
from registry.metadata.migrations.upgrade import REVISIONS, upgrade
from registry.metadata.open_store import FILE_NAME, REVISION, DatabaseNewer, bring_up_to_date, open_metadata
from registry.metadata.tables import SCHEMA


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A transaction in an empty database."""
    engine = connect(tmp_path / FILE_NAME, begin="BEGIN IMMEDIATE")
    with engine.begin() as opened:
        yield opened
    engine.dispose()


def revision_of(connection: Connection) -> str:
    """The schema's revision."""
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


def objects_of(connection: Connection) -> list[tuple[str, list[str]]]:
    """All tables and indexes with their parts, whatever the white space and the order of constraints."""
    rows = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' AND name <> 'alembic_version' ORDER BY name"
    )
    bare = [(name, "".join(sql.replace('"', "").split())) for name, sql in rows]
    return [(name, sorted(sql.removesuffix(")").split(","))) for name, sql in bare]


def test_a_new_database_has_every_table(connection: Connection) -> None:
    """And the newest revision."""
    bring_up_to_date(connection)
    assert compare_metadata(MigrationContext.configure(connection), SCHEMA) == []
    assert revision_of(connection) == REVISION


def test_the_revisions_lead_to_the_same_schema(connection: Connection, tmp_path: Path) -> None:
    """Migrated from nothing or made at once: the same tables, indexes and constraints."""
    upgrade(connection)
    engine = connect(tmp_path / "new.db", begin="BEGIN IMMEDIATE")
    with engine.begin() as new:
        bring_up_to_date(new)
        assert objects_of(connection) == objects_of(new)
    engine.dispose()
    assert revision_of(connection) == REVISION


def test_the_newest_revision_is_the_one_that_new_databases_get() -> None:
    """Whoever adds a revision raises the number, and names the one before."""
    assert REVISIONS[-1].revision == REVISION
    numbers = [None, *(each.revision for each in REVISIONS)]
    assert [each.down_revision for each in REVISIONS] == numbers[:-1]


def test_an_older_database_is_migrated(connection: Connection) -> None:
    """One that stands before the first revision gets them all."""
    connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    bring_up_to_date(connection)
    assert revision_of(connection) == REVISION
    assert compare_metadata(MigrationContext.configure(connection), SCHEMA) == []


def test_a_newer_database_is_refused(connection: Connection) -> None:
    """It is not touched, and the message says what to do."""
    bring_up_to_date(connection)
    connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseNewer, match="9999"):
        bring_up_to_date(connection)


def _open_once(folder: Path) -> None:
    open_metadata(folder).close()


def test_several_processes_may_open_a_new_folder_at_once(tmp_path: Path) -> None:
    """One makes the tables, the others find them."""
    with ProcessPoolExecutor(4, get_context("spawn")) as pool:  # a fork of a process with threads may hang
        list(pool.map(_open_once, [tmp_path] * 8))
    open_metadata(tmp_path).close()


def test_nobody_else_may_read_the_database(tmp_path: Path) -> None:
    """Neither it nor the files beside it."""
    store = open_metadata(tmp_path)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob(f"{FILE_NAME}*")} == {0o600}
    store.close()


def test_opening_does_not_import_alembic(tmp_path: Path) -> None:
    """Start-up must not pay for what it does not need."""
    code = (
        "import sys; from pathlib import Path; from registry.metadata.open_store import open_metadata;"
        f"open_metadata(Path({str(tmp_path)!r})).close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
