"""An upload of two nodes whose store is away, or lies: 503, nothing is acknowledged, and it goes on when it is well."""

import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from registry.oci.digest import Digest
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import moto
from tests.registry.storage.toxic_store import AWAY, ERROR, LOST, SHORT, WELL, WRONG, ToxicStore, toxic
from tests.repository import Repository, code_of
from tests.servers import open_registry

CONTENT = os.urandom(6 << 20)
"""More than one object has."""

Clients = tuple[httpx.Client, httpx.Client]


@pytest.fixture(scope="module")
def store() -> Iterator[ToxicStore]:
    """A proxy before moto."""
    with toxic(moto().endpoint) as store:
        yield store


@pytest.fixture(scope="module")
def clients(store: ToxicStore, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """Somebody at each of two nodes, which ask the proxy."""
    folder = tmp_path_factory.mktemp("pieces")
    storage = moto().settings(folder / "keys", endpoint=store.endpoint, timeout_seconds=5, part_bytes=5 << 20)
    groups: dict[str, Any] = {"storage": storage, "metadata": postgres.settings()}
    with (
        open_registry(folder / "first", **groups) as first,
        open_registry(folder / "second", **groups) as second,
        first.client() as here,
        second.client() as there,
    ):
        yield here, there


@pytest.fixture
def upload(clients: Clients, store: ToxicStore) -> Iterator[str]:
    """An upload that was opened at the first, and a store that is well in the end."""
    yield Repository(clients[0], "team/app").open_upload()
    store.toxin = WELL


def ended(client: httpx.Client, upload: str) -> httpx.Response:
    """The last request."""
    return client.put(upload, params={"digest": Digest.of(CONTENT)})


@pytest.mark.parametrize("toxin", [AWAY, ERROR])
def test_what_cannot_be_kept_is_not_acknowledged(clients: Clients, store: ToxicStore, upload: str, toxin: str) -> None:
    """The same request succeeds when the store is well."""
    here, there = clients
    store.toxin = toxin
    refused = here.patch(upload, content=CONTENT)
    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    assert there.get(upload).headers["range"] == "0-0"
    store.toxin = WELL
    assert here.patch(upload, content=CONTENT).status_code == 202
    assert ended(there, upload).status_code == 201


@pytest.mark.parametrize("toxin", [AWAY, ERROR, WRONG, SHORT])
def test_what_cannot_be_read_is_waited_for(clients: Clients, store: ToxicStore, upload: str, toxin: str) -> None:
    """By a node that lacks it: nothing ends, no wrong byte is taken."""
    here, there = clients
    assert here.patch(upload, content=CONTENT).status_code == 202
    store.toxin = toxin
    refused = ended(there, upload)
    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    store.toxin = WELL
    done = ended(there, upload)
    assert done.status_code == 201
    assert here.get(done.headers["location"]).content == CONTENT


@pytest.mark.parametrize("toxin", [AWAY, ERROR])
def test_a_blob_that_cannot_be_stored_is_waited_for(
    clients: Clients, store: ToxicStore, upload: str, toxin: str
) -> None:
    """By a node that has all bytes; any node takes the same request when the store is well."""
    here, there = clients
    assert here.patch(upload, content=CONTENT).status_code == 202
    store.toxin = toxin
    assert ended(here, upload).status_code == 503
    store.toxin = WELL
    assert [ended(client, upload).status_code for client in (here, there)] == [201, 201]


def test_what_the_store_has_lost_is_told(clients: Clients, store: ToxicStore, upload: str) -> None:
    """It was acknowledged by the store: the client begins anew."""
    here, there = clients
    store.toxin = LOST
    assert here.patch(upload, content=CONTENT).status_code == 202
    store.toxin = WELL
    refused = ended(there, upload)
    assert (refused.status_code, code_of(refused)) == (404, "BLOB_UPLOAD_UNKNOWN")
