"""A PostgreSQL database goes, or falls silent, under a running server: 503 with Retry-After, and back by itself."""

import asyncio
import gc
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, text

from registry.config.settings import RegistrySettings
from registry.content.opened_rows import database_of
from registry.database.postgres import engine_of
from registry.metadata.open_postgres import open_postgres
from registry.metadata.postgres_store import PostgresStore
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.errors import Unavailable
from tests.postgres import PostgresServer, postgres_server
from tests.repository import Repository
from tests.servers import LiveRegistry, open_registry
from tests.waiting import PATIENCE, wait_until


@pytest.fixture(scope="module", name="own")
def _own() -> Iterator[PostgresServer]:
    """A server of the tests' own, to be ended and stopped."""
    with postgres_server() as server:
        yield server


@pytest.fixture(name="live")
def _live(own: PostgresServer, tmp_path: Path) -> Iterator[LiveRegistry]:
    """A registry over it, with an image that was pulled before."""
    database = own.new_database()
    with open_registry(tmp_path, metadata=own.settings(database)) as patient, patient.client() as client:
        Repository(client, "team/app").image("v1")
    with open_registry(tmp_path, metadata=own.settings(database, silence_seconds=1.0)) as live:
        with live.client() as client:
            wait_until(lambda: Repository(client, "team/app").get("manifests/v1").status_code == 200)
        yield live


@pytest.fixture
def client(live: LiveRegistry) -> Iterator[httpx.Client]:
    """A client of it."""
    with live.client() as client:
        yield client


def answers(client: httpx.Client) -> list[httpx.Response]:
    """What is asked of the rows in one way or another."""
    repository = Repository(client, "team/app")
    blob = f"blobs/{Digest.of(b'{}')}"
    asked = [repository.get(rest) for rest in ("manifests/v1", "tags/list", "referrers/" + Digest.of(b""), blob)]
    empty = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": []}
    pushed = [client.post(repository.url("blobs/uploads/")), repository.put("v2", empty, media_types.OCI_INDEX)]
    return [*asked, *pushed, client.get("/v2/_catalog"), repository.delete("manifests/v1"), client.get("/readyz")]


def is_ready(client: httpx.Client) -> bool:
    """As a load balancer asks."""
    return client.get("/readyz").status_code == 200


def works(client: httpx.Client) -> bool:
    """Whether what was there is served, and what is new is taken; a busy machine may be silent for a second again."""
    repository, content = Repository(client, "team/app"), b"new"
    if repository.get("manifests/v1").status_code != 200:
        return False
    where = client.post(repository.url("blobs/uploads/")).headers.get("location", "/")
    return client.put(where, params={"digest": Digest.of(content)}, content=content).status_code == 201


def paused(own: PostgresServer) -> Callable[[], object]:
    """It does not answer; how it goes on."""
    own.signal_all(signal.SIGSTOP)
    return lambda: own.signal_all(signal.SIGCONT)


def stopped(own: PostgresServer) -> Callable[[], object]:
    """It has ended; how it starts again."""
    own.stop()
    return own.start


def crashed(own: PostgresServer) -> Callable[[], object]:
    """It has ended at once."""
    own.stop(signal.SIGQUIT)
    return own.start


@pytest.mark.parametrize("harm", [paused, stopped, crashed])
def test_a_database_that_is_away(
    own: PostgresServer, client: httpx.Client, harm: Callable[[PostgresServer], Callable[[], object]]
) -> None:
    """Everything is refused, what is remembered too, and told when to come again; then all is as before."""
    goes_on = harm(own)
    try:
        wait_until(lambda: "has not answered for 1 s" in client.get("/readyz").text)
        refused = answers(client)
    finally:
        goes_on()
    # An upload session is begun without the rows; its end needs them.
    assert {answer.status_code for answer in refused if answer.request.method != "POST"} == {503}
    assert {answer.headers.get("retry-after") for answer in refused if answer.status_code == 503} == {"1"}
    assert client.get("/healthz").status_code == 200
    wait_until(lambda: is_ready(client) and works(client))


def test_readiness_says_why(own: PostgresServer, client: httpx.Client) -> None:
    """In a sentence."""
    own.signal_all(signal.SIGSTOP)
    try:
        wait_until(lambda: not is_ready(client))
        problems = client.get("/readyz").json()["problems"]
    finally:
        own.signal_all(signal.SIGCONT)
    assert "the database of the registry's metadata has not answered for 1 s: try again" in problems


def test_a_connection_may_take_as_long_as_the_database_may_be_silent(own: PostgresServer) -> None:
    """A machine under load takes more than the two seconds that are libpq's least."""
    database = database_of(RegistrySettings.model_validate({"metadata": own.settings()}))
    own.signal_all(signal.SIGSTOP)
    again = threading.Timer(4.0, own.signal_all, [signal.SIGCONT])
    again.start()
    try:
        database.connect().close()
    finally:
        again.join()


def test_a_change_waits_for_a_lock_as_long_as_the_setting_says(own: PostgresServer) -> None:
    """`storage.busy_seconds`, as with a file."""
    groups = {"metadata": own.settings(), "storage": {"busy_seconds": 7}}
    engine = engine_of(database_of(RegistrySettings.model_validate(groups)), 1)
    with engine.connect() as connection:
        assert connection.execute(text("SHOW lock_timeout")).scalar() == "7s"
    engine.dispose()


async def given_up(own: PostgresServer, store: PostgresStore) -> None:
    """A read that is refused when the database falls silent, and fails later."""
    is_refused = threading.Event()

    def fails(_connection: Connection) -> None:
        is_refused.wait(PATIENCE)
        raise Unavailable

    own.signal_all(signal.SIGSTOP)
    with pytest.raises(Unavailable, match="has not answered"):
        await store.read(fails)
    own.signal_all(signal.SIGCONT)
    is_refused.set()
    store.close()


def test_what_comes_behind_a_refusal_is_not_logged(own: PostgresServer, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody hears of it, and nobody has to."""
    store = open_postgres(own.new_database(), silence_seconds=1.0)
    asyncio.run(store.read(lambda _connection: None))
    asyncio.run(given_up(own, store))
    gc.collect()
    assert "never retrieved" not in caplog.text
