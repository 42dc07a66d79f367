"""policy.db's file: opened, and begun anew when it is another version's or damaged."""

import shutil
import sqlite3
import tempfile
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from policy.results.checksums import RowDamaged
from policy.results.tables import SCHEMA, VERSION
from registry.database.side_files import allocate_side_file
from registry.database.sqlite import connect

_BUSY_SECONDS = 30.0
_PRAGMAS = ("auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=NORMAL")
"""The first is of a file that is new: cleaning gives pages back. What a power failure takes is computed again."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_NOT_OURS = ("no such table", "no such column", "Could not decode")
_SHORT_READ = sqlite3.SQLITE_IOERR_SHORT_READ
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}


class _OtherVersion(Exception):
    """The file was written by another version of the program."""


@dataclass(frozen=True, eq=False)
class Opened:
    """One file while it lasts: for writing, for reading without transactions, and a connection that keeps it open."""

    engine: Engine
    reading: Engine
    anchor: Connection

    def close(self) -> None:
        """Let go of it."""
        self.anchor.close()
        self.engine.dispose()


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the file is not what was written: pages, tables or rows."""
    if isinstance(error, DBAPIError):
        return error.orig is not None and is_damage(error.orig)
    if isinstance(error, sqlite3.OperationalError) and str(error).startswith(_NOT_OURS):
        return True
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0)
        return code & 0xFF in _DAMAGED or code == _SHORT_READ
    return isinstance(error, zlib.error | RowDamaged)


class ResultsFile:
    """Gives the file that is in use now.

    Args:
        path: where it is. On a disk without room it is elsewhere until the end of the process: it can be lost.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._before: list[Opened] = []
        self._elsewhere: Path | None = None
        self.opened = self._open()

    def begin_anew(self, damaged: Opened, error: BaseException) -> None:
        """Throw the file away, unless another thread has done so since."""
        with self._lock:
            if self.opened is not damaged:
                return
            structlog.get_logger(__name__).warning(
                "policy.db is damaged and begun anew: what is stored is looked into again", reason=str(error)
            )
            self._remove()
            self._before.append(damaged)  # threads may be using it yet
            self.opened = self._open()

    def close(self) -> None:
        """Let go of the file, and of those before it."""
        for each in (*self._before, self.opened):
            each.close()
        if self._elsewhere is not None:
            shutil.rmtree(self._elsewhere, ignore_errors=True)

    def _open(self) -> Opened:
        try:
            return _opened(self._path)
        except (DatabaseError, _OtherVersion) as error:
            if _is_without_room(error):
                return self._open_elsewhere(error)
            if isinstance(error, OperationalError) and not is_damage(error):
                raise  # locked, or not a file at all: it may be sound
        self._remove()
        try:
            return _opened(self._path)
        except DatabaseError as error:
            return self._open_elsewhere(error)

    def _open_elsewhere(self, error: DatabaseError | _OtherVersion) -> Opened:
        if self._path.is_dir():
            raise error
        structlog.get_logger(__name__).warning(
            "policy.db cannot be written: what is found out is kept for this process alone", reason=str(error)
        )
        self._elsewhere = Path(tempfile.mkdtemp(prefix="basegate-"))
        return _opened(self._elsewhere / self._path.name)

    def _remove(self) -> None:
        for name in (self._path.name, f"{self._path.name}-wal", f"{self._path.name}-shm"):
            self._path.with_name(name).unlink(missing_ok=True)


def _is_without_room(error: BaseException) -> bool:
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", 0)
    return code & 0xFF in _NO_ROOM and code != _SHORT_READ


def _opened(path: Path) -> Opened:
    engine = connect(path, begin="BEGIN IMMEDIATE", busy_seconds=_BUSY_SECONDS, pragmas=_PRAGMAS)
    reading = connect(path, begin="", busy_seconds=_BUSY_SECONDS, pragmas=_PRAGMAS)
    anchor = reading.connect()
    try:
        if _version(anchor) != VERSION:
            with engine.begin() as connection:
                _prepare(connection)
        anchor.execute(text("SELECT count(*) FROM sqlite_master"))
    except (DatabaseError, sqlite3.DatabaseError, _OtherVersion):
        anchor.close()
        engine.dispose()
        raise
    allocate_side_file(path)
    return Opened(engine, reading, anchor)


def _version(connection: Connection) -> int:
    found: int = connection.execute(text("PRAGMA user_version")).scalar_one()
    return found


def _prepare(connection: Connection) -> None:
    """Make the tables of a new file, unless another process has done so; one that is whole is not written."""
    version = _version(connection)
    if version == VERSION:
        return
    if version:
        raise _OtherVersion
    SCHEMA.create_all(connection)
    connection.execute(text(f"PRAGMA user_version={VERSION}"))
