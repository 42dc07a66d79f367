"""The file of policy.db: opened, and replaced by an empty one when it is damaged or of another version."""

import shutil
import sqlite3
import tempfile
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Connection, Engine, delete, text
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from policy.results.checksums import RowDamaged
from policy.results.tables import (
    SCHEMA,
    VERSION,
    WITHOUT_PROFILES,
    WITHOUT_STATES,
    subjects,
    verdicts,
    verdicts_by_state,
)
from registry.database.side_files import allocate_side_file
from registry.database.sqlite import connect

_BUSY_SECONDS = 30.0
_PRAGMAS = ("auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=NORMAL", "cache_size=-512")
"""auto_vacuum takes effect in a new file, whose pages `leftovers.forget` frees. A power failure may lose the last
writes, which are computed again."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_NOT_OURS = ("no such table", "no such column", "Could not decode")
_SHORT_READ = sqlite3.SQLITE_IOERR_SHORT_READ
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}


class _OtherVersion(Exception):
    """Another version of the program wrote the file."""


@dataclass(frozen=True, eq=False)
class Opened:
    """One open file: an engine for writing, one for reading without transactions, a connection that keeps it open."""

    engine: Engine
    reading: Engine
    anchor: Connection

    def close(self) -> None:
        """Close all connections."""
        self.anchor.close()
        self.engine.dispose()


def is_damage(error: BaseException) -> bool:
    """Whether an error means that pages, tables or rows are not what was written."""
    if isinstance(error, DBAPIError):
        return error.orig is not None and is_damage(error.orig)
    if isinstance(error, sqlite3.OperationalError) and str(error).startswith(_NOT_OURS):
        return True
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0)
        return code & 0xFF in _DAMAGED or code == _SHORT_READ
    return isinstance(error, zlib.error | RowDamaged)


class ResultsFile:
    """Holds the file in use.

    Args:
        path: of the file. When the disk is full, a temporary file takes its place until the process ends.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._replaced: list[Opened] = []
        self._temporary: Path | None = None
        self.opened = self._open()

    def recreate(self, damaged: Opened, error: BaseException) -> None:
        """Replace a damaged file by an empty one, unless another thread has done so."""
        with self._lock:
            if self.opened is not damaged:
                return
            structlog.get_logger(__name__).warning(
                "policy.db is damaged and begun anew: what is stored is looked into again", reason=str(error)
            )
            self._remove()
            self._replaced.append(damaged)  # threads may still use it
            self.opened = self._open()

    def close(self) -> None:
        """Close the file and those it replaced."""
        for each in (*self._replaced, self.opened):
            each.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _open(self) -> Opened:
        try:
            return _opened(self._path)
        except (DatabaseError, _OtherVersion) as error:
            if _is_without_room(error):
                return self._open_temporary(error)
            if isinstance(error, OperationalError) and not is_damage(error):
                raise  # locked, or not a file: it may be sound
        self._remove()
        try:
            return _opened(self._path)
        except DatabaseError as error:
            return self._open_temporary(error)

    def _open_temporary(self, error: DatabaseError | _OtherVersion) -> Opened:
        if self._path.is_dir():
            raise error
        structlog.get_logger(__name__).warning(
            "policy.db cannot be written: what is found out is kept for this process alone", reason=str(error)
        )
        self._temporary = Path(tempfile.mkdtemp(prefix="basegate-"))
        return _opened(self._temporary / self._path.name)

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
    version: int = connection.execute(text("PRAGMA user_version")).scalar_one()
    return version


def _prepare(connection: Connection) -> None:
    """Create the tables of a new file, unless another process has done so."""
    version = _version(connection)
    if version == VERSION:
        return
    if version == WITHOUT_PROFILES:  # manifests are put together from the inspections again, which gives them profiles
        connection.execute(delete(subjects))
        connection.execute(delete(verdicts))
    elif version not in {0, WITHOUT_STATES}:
        raise _OtherVersion
    SCHEMA.create_all(connection)
    verdicts_by_state.create(connection, checkfirst=True)
    connection.execute(text(f"PRAGMA user_version={VERSION}"))
