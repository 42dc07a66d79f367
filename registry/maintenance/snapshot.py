"""A database as it stands at one moment, beside whoever writes to it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from registry.errors import BasegateError

BUSY_SECONDS = 20.0


class DatabaseUnsound(BasegateError):
    """A database is not whole."""


def take_snapshot(source: Path, target: Path) -> None:
    """Copy a database, its write-ahead log included, into one new file (SQLite's online backup, in one step).

    Writers go on meanwhile: the copy is that of one transaction. The target is whole and synced when this returns.

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
    """Read a whole database. Raises DatabaseUnsound when anything in it does not fit."""
    problems = problems_of(path)
    if problems:
        raise DatabaseUnsound(f"{path} is damaged ({problems[0]}): take another copy, or run `basegate rebuild`")


def problems_of(path: Path) -> list[str]:
    """What SQLite finds wrong with a database; nothing when it is sound."""
    try:
        with closing(_reading(path)) as database:
            found = [str(row[0]) for row in database.execute("PRAGMA integrity_check(20)")]
            found += [f"{row[0]} names a row of {row[2]} that is not there" for row in _broken_keys(database)]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [item for item in found if item != "ok"]


def structure_of(path: Path) -> str | None:
    """The first thing that is wrong with a database's pages, beside whoever writes to it; "": every page is in order.

    `None`: it could not be read, because it is busy or gone, and others tell of that.
    """
    try:
        with closing(_reading(path)) as database:
            found = [str(row[0]) for row in database.execute("PRAGMA quick_check(1)")]
    except sqlite3.OperationalError:
        return None
    except sqlite3.DatabaseError as error:
        return str(error)
    return "".join(item.splitlines()[-1] for item in found if item != "ok")


def _broken_keys(database: sqlite3.Connection) -> list[tuple[str, int, str, int]]:
    return database.execute("PRAGMA foreign_key_check").fetchall()


def _reading(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise DatabaseUnsound(f"there is no database {path}")
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
