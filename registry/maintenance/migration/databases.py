"""The rows at both ends of a migration: those of the source held still, those of the target in one transaction."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from registry.config.settings import RegistrySettings
from registry.content.opened_rows import database_of
from registry.database.errors import as_oci_error
from registry.database.sqlite import connect
from registry.errors import BasegateError
from registry.metadata.identity import identity
from registry.metadata.open_store import FILE_NAME, bring_up_to_date, revision_of

_PATIENT = {"idle_in_transaction_session_timeout": "0"}
"""The transactions of a migration wait for the other end."""
_LOOK_SECONDS = 0.2
_LINGER_SECONDS = 5.0
"""How long sessions of a database may take to end after their connections have."""
_OWN_SCHEMAS = "basegate_"
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'basegate'"
)

_LOOK_AGAIN = text("SELECT pg_stat_clear_snapshot()")
"""Without it a transaction is shown the sessions of its first look, for as long as it lasts."""


class RowsRefused(BasegateError):
    """A database cannot be read, or not be written."""


class TargetOccupied(BasegateError):
    """The target has content that is not this registry's."""


@contextmanager
def held_rows(settings: RegistrySettings) -> Iterator[Connection]:
    """The rows of a registry in a transaction within which nobody else changes them; they can be read by all.

    Raises:
        RowsRefused: a statement of the block fails.
        Unavailable: somebody else is changing them, or the database is away.
    """
    engine = (
        _database(settings) if settings.metadata.url else connect(settings.data / FILE_NAME, begin="BEGIN IMMEDIATE")
    )
    try:
        with _refusals(), engine.connect() as connection:
            connection.begin()
            if settings.metadata.url:
                from registry.database.postgres_writer import take_turn  # noqa: PLC0415 - the driver is an extra

                take_turn(connection)
            yield connection
    finally:
        engine.dispose()


@contextmanager
def new_rows(settings: RegistrySettings, folder: Path) -> Iterator[Connection]:
    """Tables without rows, in a transaction that the block commits; without a commit there is nothing.

    Args:
        settings: where they are: a database, or else a file.
        folder: where the file is made; one that an earlier try has left goes.

    Raises:
        TargetOccupied: the database has tables.
        DatabaseUnreachable: it cannot be used.
        RowsRefused: a statement of the block fails.
    """
    if settings.metadata.url:
        with _refusals(), _new_database(settings) as connection:
            yield connection
        return
    engine = _new_file(folder / FILE_NAME)
    try:
        with _refusals(), engine.connect() as connection:
            bring_up_to_date(connection)
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _new_database(settings: RegistrySettings) -> Iterator[Connection]:
    engine = _database(settings)
    try:
        with _reachable():
            connection = engine.connect()
        with connection:
            _make_tables(connection)
            yield connection
    finally:
        engine.dispose()


def served_elsewhere(rows: Connection) -> int:
    """How many sessions of a basegate the database has beside this one: of nodes, and of commands."""
    rows.execute(_LOOK_AGAIN)
    return int(rows.execute(_OTHERS).scalar_one())


def still_served(rows: Connection) -> bool:
    """Whether such sessions remain when those that have just ended are gone."""
    end = time.monotonic() + _LINGER_SECONDS
    while served_elsewhere(rows):
        if time.monotonic() > end:
            return True
        time.sleep(_LOOK_SECONDS)
    return False


def has_arrived(settings: RegistrySettings, store: str) -> bool:
    """Whether the database of the settings has the rows of a store."""
    engine = _database(settings)
    try:
        with _reachable(), engine.connect() as connection:
            return revision_of(connection) is not None and identity(connection).id == store
    finally:
        engine.dispose()


def _database(settings: RegistrySettings) -> Engine:
    database = database_of(settings)
    from registry.database.postgres import engine_of  # noqa: PLC0415 - the driver is an extra

    return engine_of(database, 1, settings=_PATIENT)


def _new_file(path: Path) -> Engine:
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    return connect(path, begin="BEGIN IMMEDIATE")


def _make_tables(connection: Connection) -> None:
    from registry.metadata.open_postgres import make_ready  # noqa: PLC0415 - the driver is an extra

    with _reachable():
        seen = inspect(connection)
        found = [*seen.get_table_names(), *(name for name in seen.get_schema_names() if name.startswith(_OWN_SCHEMAS))]
        if found:
            raise TargetOccupied(
                f"the database has content, {found[0]} for one: name one that is empty (CREATE DATABASE … OWNER …), "
                "nothing was changed"
            )
        make_ready(connection)


@contextmanager
def _reachable() -> Iterator[None]:
    from registry.metadata.open_postgres import usable  # noqa: PLC0415 - the driver is an extra

    with usable():
        yield


@contextmanager
def _refusals() -> Iterator[None]:
    """Raise what a person can read in the place of what drivers raise."""
    try:
        yield
    except BasegateError:
        raise
    except Exception as error:
        if not isinstance(error, SQLAlchemyError | sqlite3.Error) and not type(error).__module__.startswith("psycopg"):
            raise
        told = as_oci_error(error)
        if told is not error:
            raise told from error
        reason = " ".join(str(getattr(error, "orig", error)).split())[:300]
        raise RowsRefused(
            f"rows cannot be taken over ({reason}): nothing was switched over; `basegate verify` tells what is wrong "
            "with those of the source"
        ) from error
