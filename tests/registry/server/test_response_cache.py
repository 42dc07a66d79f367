"""Answers given again: in the same bytes as long as nothing has changed, and no longer."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection

from registry.auth.actions import Role
from registry.metadata import principals
from registry.metadata.open_store import open_metadata
from registry.oci.digest import Digest
from tests.registry.api.guarded import guarded_registry
from tests.registry.auth.people import given_ago, person
from tests.registry.open_services import image
from tests.servers import LiveRegistry

PUSHER = person(Role.ACR_PUSH)
READER = person(Role.ACR_PULL)
BOUND = person(Role.ACR_PUSH, "team/*")
MANIFEST = "/v2/team/app/manifests/v1"
FIRST, SECOND = image((), annotations={"n": "1"}), image((), annotations={"n": "2"})
PATIENCE_SECONDS = 10


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveRegistry]:
    """A registry with one image that asks everybody to sign in."""
    with guarded_registry(tmp_path) as started:
        with started.client(auth=(PUSHER.row.name, PUSHER.secret())) as client:
            push(client, MANIFEST, FIRST)
        yield started


def ask(client: httpx.Client, times: int = 4) -> list[httpx.Response]:
    """The same request so often that its answer comes from memory."""
    return [client.get(MANIFEST) for _ in range(times)]


def push(client: httpx.Client, path: str, manifest: bytes) -> None:
    """Push an image whose configuration is `{}`."""
    place = client.post(f"{path[: path.index('/manifests')]}/blobs/uploads/").headers["location"]
    client.put(place, params={"digest": Digest.of(b"{}")}, content=b"{}").raise_for_status()
    client.put(path, content=manifest).raise_for_status()


def until_refused(client: httpx.Client) -> int:
    """Ask again and again until the answer is another."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (status := client.get(MANIFEST).status_code) == 200 and time.monotonic() < deadline:
        pass
    return status


def change_elsewhere(data: Path, change: Callable[[Connection], None]) -> None:
    """Write to the principals as a command beside the server does."""
    with closing(open_metadata(data)) as metadata:
        asyncio.run(metadata.write(change))


def test_each_answer_has_a_request_id_of_its_own(live: LiveRegistry) -> None:
    """Everything else is the same."""
    with live.client(auth=(READER.row.name, READER.secret())) as client:
        answers = ask(client)
    assert {answer.content for answer in answers} == {FIRST}
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def test_each_answer_is_counted(live: LiveRegistry) -> None:
    """Those from memory, too."""
    line = 'basegate_requests_total{method="GET",operation="manifests.pull",status="200"}'
    with live.client(auth=(READER.row.name, READER.secret())) as client:
        ask(client, 7)
        assert f"{line} 7.0" in client.get("/metrics").text


def test_a_moved_tag_is_seen_at_once(live: LiveRegistry) -> None:
    """The answer after the push is the new one."""
    with live.client(auth=(PUSHER.row.name, PUSHER.secret())) as client:
        ask(client)
        client.put(MANIFEST, content=SECOND).raise_for_status()
        assert client.get(MANIFEST).content == SECOND


def test_a_principal_disabled_elsewhere_is_refused(live: LiveRegistry, tmp_path: Path) -> None:
    """Although its requests are the same, byte for byte."""
    with live.client(auth=(READER.row.name, READER.secret())) as client:
        ask(client)
        change_elsewhere(tmp_path, lambda connection: principals.set_enabled(connection, READER.row.id, enabled=False))
        assert until_refused(client) == 401


def test_an_ended_token_is_refused(live: LiveRegistry) -> None:
    """Although the answer to it is remembered and nothing was written."""
    old = given_ago(live.data, live.app.settings, READER, "repository:team/app:pull", 3597)
    with live.client(headers={"Authorization": f"Bearer {old}"}) as client:
        assert {each.status_code for each in ask(client)} == {200}
        assert until_refused(client) == 401


def test_anothers_request_is_not_answered_for_it(live: LiveRegistry) -> None:
    """The same question with another secret is no question that was answered."""
    with live.client(auth=(READER.row.name, READER.secret())) as client:
        ask(client)
    with live.client(auth=(READER.row.name, "wrong")) as client:
        assert {each.status_code for each in ask(client, 2)} == {401}


def test_a_catalog_is_remembered_for_those_who_see_the_same(live: LiveRegistry) -> None:
    """Whoever is bound to some repositories is not told of others, however often somebody else has asked."""
    with live.client(auth=(PUSHER.row.name, PUSHER.secret())) as client:
        push(client, "/v2/other/app/manifests/v1", FIRST)
        for _ in range(4):
            assert client.get("/v2/_catalog").json() == {"repositories": ["other/app", "team/app"]}
    with live.client(auth=(BOUND.row.name, BOUND.secret())) as client:
        for _ in range(4):
            assert client.get("/v2/_catalog").json() == {"repositories": ["team/app"]}


def test_a_new_repository_is_in_the_catalog_at_once(live: LiveRegistry) -> None:
    """Although the answer without it is remembered."""
    with live.client(auth=(PUSHER.row.name, PUSHER.secret())) as client:
        for _ in range(4):
            assert client.get("/v2/_catalog").json() == {"repositories": ["team/app"]}
        push(client, "/v2/team/next/manifests/v1", FIRST)
        assert client.get("/v2/_catalog").json() == {"repositories": ["team/app", "team/next"]}


def test_a_token_for_something_else_gets_no_remembered_catalog(live: LiveRegistry) -> None:
    """It was not made for the catalog, though its principal has asked before with a secret."""
    with live.client(auth=(READER.row.name, READER.secret())) as client:
        assert {client.get("/v2/_catalog").status_code for _ in range(4)} == {200}
    narrow = given_ago(live.data, live.app.settings, READER, "repository:team/app:pull", 0)
    with live.client(headers={"Authorization": f"Bearer {narrow}"}) as client:
        assert {client.get(MANIFEST).status_code, client.get("/v2/_catalog").status_code} == {200, 401}
        assert client.get("/v2/_catalog").status_code == 401
