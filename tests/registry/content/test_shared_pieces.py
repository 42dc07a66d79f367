"""An upload of two nodes whose store is away, or lies: 503, nothing is acknowledged, and it goes on when it is well."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from registry.config.storage import StorageSettings
from registry.content.upload_session import UploadSession, no_bytes
from registry.oci.digest import Digest
from registry.oci.errors import Unavailable
from registry.oci.names import RepositoryName
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import moto, names_in
from tests.registry.storage.toxic_store import AWAY, ERROR, HELD, LOST, SHORT, WELL, WRONG, ToxicStore, toxic
from tests.repository import Repository, code_of
from tests.servers import LiveRegistry, open_registry
from tests.waiting import wait_until

CONTENT = os.urandom(6 << 20)
"""More than one object has."""

Clients = tuple[httpx.Client, httpx.Client]
Nodes = tuple[LiveRegistry, LiveRegistry]


@pytest.fixture(scope="module")
def store() -> Iterator[ToxicStore]:
    """A proxy before moto."""
    with toxic(moto().endpoint) as store:
        yield store


@pytest.fixture(scope="module")
def nodes(store: ToxicStore, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Two, which ask the proxy."""
    folder = tmp_path_factory.mktemp("pieces")
    storage = moto().settings(folder / "keys", endpoint=store.endpoint, timeout_seconds=5, part_bytes=5 << 20)
    groups: dict[str, Any] = {"storage": storage, "metadata": postgres.settings()}
    with (
        open_registry(folder / "first", **groups) as first,
        open_registry(folder / "second", **groups) as second,
    ):
        yield first, second


@pytest.fixture
def clients(nodes: Nodes) -> Iterator[Clients]:
    """Somebody at each of them."""
    with nodes[0].client() as here, nodes[1].client() as there:
        yield here, there


@pytest.fixture
def upload(clients: Clients, store: ToxicStore) -> Iterator[str]:
    """An upload that was opened at the first, and a store that is well in the end."""
    yield Repository(clients[0], "team/app").open_upload()
    store.toxin = WELL


def ended(client: httpx.Client, upload: str, body: bytes = b"") -> httpx.Response:
    """The last request; `body`: all of `CONTENT`, or nothing more."""
    return client.put(upload, params={"digest": Digest.of(CONTENT)}, content=body)


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


def kept(node: LiveRegistry, uploads: list[str]) -> list[str]:
    """Names of objects that the store has of these."""
    settings = StorageSettings.model_validate(node.app.settings.current.storage.model_dump())
    ids = [upload.rpartition("/")[2] for upload in uploads]
    return [name for name in names_in(settings) if any(upload in name for upload in ids)]


def found(node: LiveRegistry, upload: str) -> UploadSession:
    """What a request for it at this node would work on."""
    path = RepositoryName("team/app"), upload.rpartition("/")[2]
    return asyncio.run(node.app.services.uploads.session(*path, "somebody"))


def refused_by_the_store(nodes: Nodes, client: httpx.Client, store: ToxicStore, upload: str) -> UploadSession:
    """What a request has worked on that brought a whole small blob."""
    store.toxin = HELD
    store.requests.clear()
    with ThreadPoolExecutor(1) as pool:
        refused = pool.submit(client.put, upload, params={"digest": Digest.of(b"few")}, content=b"few")
        wait_until(store.is_to_change)
        worked_on = found(nodes[0], upload)
        store.toxin = AWAY
        assert refused.result().status_code == 503
    store.toxin = WELL
    return worked_on


def test_an_upload_that_is_being_ended_is_not_opened_beside(
    nodes: Nodes, clients: Clients, store: ToxicStore, upload: str
) -> None:
    """By another request at the same node: they would write to the same file."""
    clients[0].patch(upload, content=CONTENT)
    store.requests.clear()
    store.toxin = HELD
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(ended, clients[0], upload)
        wait_until(store.is_to_change)
        another = found(nodes[0], upload)
        store.toxin = WELL
        assert (another.closed, ending.result().status_code) == (True, 201)


def test_who_has_waited_for_a_request_that_failed_tries_again(
    nodes: Nodes, clients: Clients, store: ToxicStore, upload: str
) -> None:
    """The upload is still there, whatever was found of it before."""
    clients[0].patch(upload, content=CONTENT)
    waiting = found(nodes[0], upload)
    store.toxin = AWAY
    assert ended(clients[0], upload).status_code == 503
    store.toxin = WELL
    with pytest.raises(Unavailable, match="try again"):
        asyncio.run(nodes[0].app.services.uploads.finish(waiting, Digest.of(CONTENT), no_bytes(), None, None))
    assert ended(clients[0], upload).status_code == 201


def test_who_has_waited_for_one_that_brought_all_keeps_nobody_from_ending_it(
    nodes: Nodes, clients: Clients, store: ToxicStore, upload: str
) -> None:
    """Nor has anybody else open it beside: two that write to one file would make a blob of other bytes."""
    waiting = refused_by_the_store(nodes, clients[0], store, upload)
    store.toxin = HELD
    store.requests.clear()
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(ended, clients[0], upload, CONTENT)
        wait_until(store.is_to_change)
        with pytest.raises(Unavailable, match="try again"):
            asyncio.run(nodes[0].app.services.uploads.append(waiting, no_bytes(), None, None))
        assert found(nodes[0], upload).closed
        store.toxin = WELL
        assert ending.result().status_code == 201


def test_pieces_of_uploads_that_end_meanwhile_go_too(
    nodes: Nodes, clients: Clients, store: ToxicStore, upload: str
) -> None:
    """While those of another are being removed."""
    here = clients[0]
    both = [upload, Repository(here, "team/app").open_upload()]
    for each in both:
        here.patch(each, content=CONTENT)
    store.requests.clear()
    store.toxin = HELD
    for each in both:
        assert here.delete(each).status_code == 204
        wait_until(store.is_to_change)
    store.toxin = WELL
    wait_until(lambda: not kept(nodes[0], both))
