"""What a request that is broken off, or that only looks, leaves of an upload that nodes share."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from registry.app import build
from registry.content.shared_sessions import SharedSessions
from registry.content.upload_session import UploadSession
from registry.database.postgres import Database
from registry.metadata import shared_uploads
from registry.oci.names import RepositoryName
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import moto
from tests.repository import Repository
from tests.servers import LiveRegistry, open_settings, running

MOST = 2
"""Uploads that one principal may have open."""


@pytest.fixture(scope="module")
def node(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegistry]:
    """One of several; its claims would last for minutes."""
    folder = tmp_path_factory.mktemp("claims")
    groups: dict[str, Any] = {
        "storage": moto().settings(folder / "keys"),
        "metadata": postgres.settings(),
        "uploads": {"lease_seconds": 300, "sessions_per_principal": MOST},
    }
    with running(build(open_settings(folder / "node", **groups))) as live:
        yield live


@pytest.fixture
def client(node: LiveRegistry) -> Iterator[httpx.Client]:
    """Somebody there."""
    with node.client() as opened:
        yield opened


def records_of(node: LiveRegistry) -> SharedSessions:
    """The records of its sessions."""
    records = node.app.services.uploads._records  # noqa: SLF001  nothing else is told of a claim
    assert isinstance(records, SharedSessions)
    return records


async def broken_off(node: LiveRegistry, upload: str) -> None:
    """Break a request off while the database makes its claim; in the end nobody has the upload."""
    records, url = records_of(node), node.app.settings.current.metadata.url
    session: UploadSession = await records.session(upload, RepositoryName("team/app"), None)

    async def work() -> None:
        async with records.held(session):
            await asyncio.Event().wait()

    with Database(url).connect() as other:
        other.execute("SELECT 1 FROM uploads WHERE id = %s FOR UPDATE", (upload,))
        request = asyncio.create_task(work())
        await waiting(url)
        request.cancel()
        with suppress(asyncio.CancelledError):
            await request
        other.rollback()
    assert await is_free(node, upload)


async def waiting(url: str) -> None:
    """Until a session of the database waits for a row."""
    with Database(url).connect(autocommit=True) as connection:
        for _ in range(500):
            if connection.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone():
                return
            await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


async def is_free(node: LiveRegistry, upload: str) -> bool:
    """Whether nobody has it claimed, or will in a moment."""
    for _ in range(500):
        await asyncio.sleep(0.01)
        if not await node.app.services.stores.metadata.read(shared_uploads.is_held, upload):
            return True
    return False


def test_a_claim_that_is_won_as_its_request_ends_is_released(node: LiveRegistry, client: httpx.Client) -> None:
    """The next request need not wait until the claim has ended."""
    path = Repository(client, "team/app").open_upload()
    assert client.patch(path, content=os.urandom(10)).status_code == 202
    asyncio.run(broken_off(node, path[-36:]))


def test_who_looks_at_an_upload_has_not_opened_it(node: LiveRegistry, client: httpx.Client) -> None:
    """Of so many as may be open, none is counted before its first byte."""
    open_already = len(node.app.services.uploads.open)
    paths = [Repository(client, "team/look").open_upload() for _ in range(MOST + 1)]
    assert {client.get(path).status_code for path in paths} == {204}
    assert len(node.app.services.uploads.open) <= open_already
