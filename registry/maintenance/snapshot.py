"""Snapshots and checks of a database that others may write to."""

import sqlite3
from contextlib import closing
from pathlib import Path

from registry.errors import BasegateError

BUSY_SECONDS = 20.0


class DatabaseUnsound(BasegateError):
    """A database is missing or damaged."""


def take_snapshot(source: Path, target: Path) -> None:
    """Copy a database with its write-ahead log into a new file (SQLite's online backup, in one step).

    Writers may go on: the copy is consistent. The target is complete and synced when this returns.

    Raises:
        DatabaseUnsound: the source cannot be read, or is damaged.
    """
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    try:
        with closing(_reading(source)) as read, closing(sqlite3.connect(target)) as written:
            read.backup(written)
            written.execute("PRAGMA journal_mode=DELETE")
            written.execute("PRAGMA synchronous=FULL")
    except sqlite3.DatabaseError as error:
        target.unlink(missing_ok=True)
        raise DatabaseUnsound(f"{source} cannot be copied: {error}: run `basegate verify`") from error
    require_sound(target)


def require_sound(path: Path) -> None:
    """Check a whole database. Raises DatabaseUnsound when it is damaged."""
    problems = problems_of(path)
    if problems:
        raise DatabaseUnsound(f"{path} is damaged ({problems[0]}): take another copy, or run `basegate rebuild`")


def problems_of(path: Path) -> list[str]:
    """The problems that SQLite finds in a database; empty when it is sound."""
    try:
        with closing(_reading(path)) as database:
            problems = [str(row[0]) for row in database.execute("PRAGMA integrity_check(20)")]
            problems += [f"{row[0]} names a row of {row[2]} that is not there" for row in _broken_keys(database)]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [item for item in problems if item != "ok"]


def structure_of(path: Path) -> str | None:
    """The first problem in a database's pages; "" when there is none.

    `None` when it cannot be read because it is busy or missing, which is reported elsewhere.
    """
    try:
        with closing(_reading(path)) as database:
            problems = [str(row[0]) for row in database.execute("PRAGMA quick_check(1)")]
    except sqlite3.OperationalError:
        return None
    except sqlite3.DatabaseError as error:
        return str(error)
    return "".join(item.splitlines()[-1] for item in problems if item != "ok")


def _broken_keys(database: sqlite3.Connection) -> list[tuple[str, int, str, int]]:
    return database.execute("PRAGMA foreign_key_check").fetchall()


def _reading(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise DatabaseUnsound(f"there is no database {path}")
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
