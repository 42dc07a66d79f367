"""Changes of nodes that share a database: they look for files while no other node writes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from registry.database.postgres import Database
from registry.database.postgres_writer import LOCK
from registry.metadata.open_postgres import open_postgres
from registry.metadata.postgres_store import PostgresStore
from registry.metadata.transactions import ChangeContext, take_blob
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from tests.postgres import PostgresServer
from tests.waiting import wait_until

WAITING = """SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"""


def is_waiting(database: Database) -> bool:
    """Whether a node waits for its turn."""
    with database.connect() as connection:
        return connection.execute(WAITING).fetchone() is not None


def push(store: PostgresStore, looks: list[bool], database: Database) -> None:
    """Of a blob; each look at its file notes whether its node still waits."""

    def still_there() -> bool:
        looks.append(is_waiting(database))
        return True

    at = ChangeContext(RepositoryName("team/app"), "somebody", 1.0)
    asyncio.run(store.write(take_blob, at, Digest.of(b"blob"), 4, still_there))


def test_a_pushed_blob_is_looked_for_in_the_turn_of_its_node(postgres: PostgresServer) -> None:
    """Before, a collection on another node could remove it behind the look."""
    database, looks = postgres.new_database(), list[bool]()
    store = open_postgres(database, silence_seconds=30)
    with ThreadPoolExecutor(1) as pool:
        with database.connect() as another, another.transaction():
            another.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            pushing = pool.submit(push, store, looks, database)
            wait_until(lambda: is_waiting(database) or bool(looks))
            assert looks == []
        pushing.result()
    store.close()
    assert looks == [False]
