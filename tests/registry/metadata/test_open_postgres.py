"""Opening the metadata in PostgreSQL: made, found, refused; and a database that is away for a time."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.exc import TimeoutError  # noqa: A004

from registry.database.errors import as_oci_error
from registry.database.postgres import Database, engine_of
from registry.metadata import repositories
from registry.metadata.open_postgres import DatabaseUnreachable, open_postgres
from registry.metadata.open_store import REVISION, DatabaseNewer, revision_of
from registry.metadata.postgres_store import PostgresStore
from registry.metadata.tables import SCHEMA
from registry.oci.errors import Unavailable
from registry.oci.names import RepositoryName
from tests.postgres import PostgresServer, postgres_server

NAME = RepositoryName("team/app")


@pytest.fixture
def own() -> Iterator[PostgresServer]:
    """A server of the test's own, to be ended and stopped."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def store(own: PostgresServer) -> Iterator[PostgresStore]:
    """A store on it."""
    opened = open_postgres(own.new_database())
    yield opened
    opened.close()


async def answers(store: PostgresStore) -> None:
    """Ask until a change is made: while the database is away, everything is refused as unavailable."""
    while True:
        try:
            await store.write(repositories.ensure, NAME, 1.0)
        except Unavailable:
            await asyncio.sleep(0.1)
        else:
            return


async def refused(store: PostgresStore) -> str:
    """Ask until a look-up is refused; why."""
    while True:
        try:
            await store.read(repositories.page, "", 1)
        except Unavailable as error:
            return error.message
        await asyncio.sleep(0.05)


def test_a_new_database_has_every_table(postgres: PostgresServer) -> None:
    """And the newest revision."""
    database = postgres.new_database()
    open_postgres(database).close()
    engine = engine_of(database, 1)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SCHEMA) == []
        assert revision_of(connection) == REVISION
    engine.dispose()


def test_indexes_are_partial_as_in_sqlite(postgres: PostgresServer) -> None:
    """Most manifests have no subject, and are in no index of subjects."""
    with postgres.at("ready").connect() as connection:
        rows = connection.execute("SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%WHERE%'").fetchall()
    wanted = {index.name for table in SCHEMA.tables.values() for index in table.indexes if _is_partial(index)}
    assert {name for (name,) in rows} == wanted != set()


def _is_partial(index: object) -> bool:
    return index.dialect_options["sqlite"]["where"] is not None  # type: ignore[attr-defined]


def test_a_newer_database_is_refused(postgres: PostgresServer) -> None:
    """It is not touched, and the message says what to do."""
    database = postgres.new_database("ready")
    with database.connect(autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseNewer, match="9999"):
        open_postgres(database)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://127.0.0.1:1/rows", "Connection refused"),
        ("postgresql://basegate@/nowhere?host={folder}", "nowhere"),
        ("postgresql://127.0.0.1:5432/rows?colour=red", "colour"),
    ],
)
def test_a_wrong_address_is_told(postgres: PostgresServer, url: str, reason: str) -> None:
    """With what the server or the driver says of it."""
    with pytest.raises(DatabaseUnreachable, match=reason):
        open_postgres(Database(url.format(folder=postgres.folder)))


def test_a_database_that_loses_commits_is_refused(own: PostgresServer) -> None:
    """A 201 would not be durable."""
    with own.at("postgres").connect(autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    own.stop()
    own.start()
    with pytest.raises(DatabaseUnreachable, match="fsync"):
        open_postgres(own.at("ready"))


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_without_room_for_all_letters_is_refused(postgres: PostgresServer, encoding: str) -> None:
    """Which is what a database has that was made under the locale C."""
    with pytest.raises(DatabaseUnreachable, match=f"{encoding}, UTF8 is needed"):
        open_postgres(postgres.new_database("template0", encoding))


def test_a_restarted_database_is_used_again(own: PostgresServer, store: PostgresStore) -> None:
    """Without a restart of the node: refused while it is away, and then answered."""
    asyncio.run(answers(store))
    own.stop(signal.SIGQUIT)
    assert "has not answered" in asyncio.run(refused(store)) or not store.problems()
    own.start()
    asyncio.run(answers(store))
    assert asyncio.run(store.read(repositories.page, "", 1)) == [NAME]


def test_a_paused_database_is_no_answer(own: PostgresServer, store: PostgresStore) -> None:
    """Look-ups and what is remembered are refused, until it goes on."""
    asyncio.run(answers(store))
    own.signal_all(signal.SIGSTOP)
    assert "has not answered for 1 s" in asyncio.run(refused(store))
    with pytest.raises(Unavailable, match="has not answered"):
        store.principals_generation()
    own.signal_all(signal.SIGCONT)
    asyncio.run(answers(store))


def test_a_refusal_tells_when_to_come_again(own: PostgresServer, store: PostgresStore) -> None:
    """A change, while the database is away."""
    own.stop()
    with pytest.raises(Unavailable) as refusal:
        asyncio.run(store.write(repositories.ensure, NAME, 1.0))
    assert refusal.value.headers["Retry-After"] == "1"
    own.start()


def test_a_database_that_takes_no_changes_says_so(postgres: PostgresServer) -> None:
    """As a replica: look-ups go on, changes get 503 and when to come again."""
    database = postgres.new_database("ready")
    with database.connect(autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET default_transaction_read_only = on")
    with closing(open_postgres(database)) as store:
        assert asyncio.run(store.read(repositories.page, "", 1)) == []
        with pytest.raises(Unavailable, match="is read-only") as refusal:
            asyncio.run(store.write(repositories.ensure, NAME, 1.0))
    assert refusal.value.headers["Retry-After"] == "1"


def test_a_pool_whose_connections_are_all_in_use_is_busy(postgres: PostgresServer) -> None:
    """503, and not an error of the server."""
    pool: dict[str, float] = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.01}
    engine = create_engine("postgresql+psycopg://", creator=postgres.at("ready").connect, **pool)
    with engine.connect(), pytest.raises(TimeoutError, match="QueuePool limit") as refusal:
        engine.connect()
    engine.dispose()
    answered = as_oci_error(refusal.value)
    assert isinstance(answered, Unavailable)
    assert answered.headers["Retry-After"] == "1"


def test_one_machine_needs_no_driver() -> None:
    """Neither the driver nor its dialect is imported by what serves a data folder."""
    code = (
        "import sys, policy.cli.serve; sys.exit(any('psycopg' in name or 'postgresql' in name for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
