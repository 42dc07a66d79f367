"""Connections to a PostgreSQL database. Imported only where one is used: the driver is an extra, `basegate[cluster]`.

What every session is told, whatever the database says by default: commits are durable when they are answered, and a
node that falls silent within a transaction loses it, so that others need not wait for it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg.types.numeric import IntLoader
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from registry.database.pipeline import Pipeline
from registry.database.postponed import let_postpone

T = TypeVar("T")

LOCK_SECONDS = 5
_SILENT_SECONDS = 10
LEAST_CONNECT_SECONDS = 2
_SESSION = {
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": f"{_SILENT_SECONDS}s",
    "lock_timeout": f"{LOCK_SECONDS}s",
    "timezone": "UTC",
    "client_min_messages": "warning",
    # What is written comes back the same.
    "bytea_output": "hex",
    "extra_float_digits": "1",
    # A machine that is gone keeps its locks until the server notices.
    "tcp_keepalives_idle": str(_SILENT_SECONDS),
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}

READING = _SESSION | {
    "default_transaction_read_only": "on",
    "default_transaction_isolation": r"repeatable\ read",
}


@dataclass(frozen=True, slots=True)
class Database:
    """Where a database is.

    Attributes:
        url: `postgresql://USER@HOST:PORT/NAME`, as libpq takes it (https://www.postgresql.org/docs/current/libpq-connect.html).
        password: "" for what libpq finds by itself: PGPASSWORD, or its password file.
        connect_seconds: how long a new connection may take; at least 2, which is libpq's least.
        lock_seconds: how long a statement waits for a lock, and whoever needs a connection for one of a pool.
    """

    url: str
    password: str = field(default="", repr=False)
    connect_seconds: int = LEAST_CONNECT_SECONDS
    lock_seconds: float = LOCK_SECONDS

    def connect(self, settings: Mapping[str, str] = _SESSION, **more: Any) -> "psycopg.Connection[Any]":
        """A new connection, whose session has these settings. Raises psycopg.Error."""
        secret: dict[str, Any] = {"password": self.password} if self.password else {}
        return psycopg.connect(
            self.url,
            connect_timeout=self.connect_seconds,
            application_name="basegate",
            client_encoding="utf8",  # else the driver gives bytes where the database has no encoding
            options=" ".join(f"-c {name}={value}" for name, value in settings.items()),
            keepalives_idle=_SILENT_SECONDS,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=_SILENT_SECONDS * 1000,
            **secret,
            **more,
        )


def engine_of(
    database: Database, connections: int, *, reads: bool = False, settings: Mapping[str, str] | None = None
) -> Engine:
    """An engine with a pool of so many connections at most; whoever needs one more waits for it.

    `reads`: its sessions cannot write, and each of their transactions sees one snapshot. `settings`: of its sessions,
    beside those of every one.
    """
    patience = {"lock_timeout": f"{database.lock_seconds * 1000:.0f}ms"}
    told = (READING if reads else _SESSION) | patience | dict(settings or {})
    engine = create_engine(
        "postgresql+psycopg://",
        creator=partial(database.connect, told, autocommit=not reads),
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=database.lock_seconds,
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # Sums of whole numbers are `numeric`; nothing here is a fraction of a hundred.
        connection.adapters.register_loader("numeric", IntLoader)

    if not reads:
        let_postpone(engine, Pipeline)
    return engine


def read_from(engine: Engine, query: Callable[[Connection], T]) -> T:
    """Run a query that changes nothing: on a kept connection, and once more if the database has ended that one.

    All connections that were kept so long are closed then: they may have ended too, as by a restart of the database.
    """
    pool = engine.pool
    with _connected(engine) as connection:
        try:
            return query(connection)
        except Exception:
            if not _has_ended(connection):
                raise
    if engine.pool is pool:  # no other thread has seen the same
        engine.dispose()
    with _connected(engine) as connection:
        return query(connection)


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    """A connection, which is kept for others if it is good and the pool is still asked for one.

    Its transaction is over then: when the pool rolls back and fails, it logs that.
    """
    pool = engine.pool
    try:
        with engine.connect() as connection:
            try:
                yield connection
            finally:
                if not _has_ended(connection) and (engine.pool is not pool or not _rolls_back(connection)):
                    connection.invalidate()
    finally:
        if engine.pool is not pool:  # it may have been replaced just as the connection went back there
            pool.dispose()


@contextmanager
def changing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is committed at the end; its connection is not kept if it has ended, as for a read."""
    with engine.connect() as connection:
        try:
            with connection.begin():
                yield connection
        finally:
            _has_ended(connection)


def _rolls_back(connection: Connection) -> bool:
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.rollback()
    except psycopg.Error:
        return False
    return True


def has_been_ended(connection: Connection) -> bool:
    """Whether the database has ended a connection that was kept, as by a restart; it is not asked."""
    driver: Any = connection.connection.dbapi_connection
    with suppress(psycopg.Error):
        for _ in range(2):  # what it has said last, and that it was the last
            driver.pgconn.consume_input()
    return _has_ended(connection)


def _has_ended(connection: Connection) -> bool:
    if connection.invalidated:
        return True
    driver: Any = connection.connection.dbapi_connection
    if driver.closed:
        connection.invalidate()
    return bool(driver.closed)
