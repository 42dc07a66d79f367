"""Whoever may only read is refused on every route that changes something; the list is the route table's own."""

from collections.abc import Iterator

import httpx
import pytest

from registry.api.requirements import Requirement
from registry.api.routes import SAFE_METHODS, TABLE
from registry.auth.actions import Role
from tests.registry.api.guarded import guarded_registry
from tests.registry.auth.people import person

READER = person(Role.ACR_PULL)
BASIC = (READER.row.name, READER.secret())
DIGEST = "sha256:" + "0" * 64
PLACES = {
    "{name:repository}": "team/app",
    "{reference}": "v1",
    "{digest}": DIGEST,
    "{upload}": "b7a7f1a0-5d0c-4d2c-9a5a-1f0e0d0c0b0a",
}
# The token endpoints hand out tokens to everybody who proves who they are: they are doors, not content.
OPEN = {"/oauth2/token", "/oauth2/exchange"}


def _filled(path: str) -> str:
    for place, value in PLACES.items():
        path = path.replace(place, value)
    return path


MUTATING = [
    (method, _filled(row.path), row.needs)
    for row in TABLE
    for method in row.methods.split()
    if method not in SAFE_METHODS and row.path not in OPEN
]
ROUTES = [(method, path) for method, path, _ in MUTATING]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of one registry where anonymous pull is on, so that only writing is at stake."""
    with guarded_registry(tmp_path_factory.mktemp("data"), anonymous_pull=True) as live, live.client() as opened:
        yield opened


def test_the_list_is_not_empty_and_every_place_is_filled() -> None:
    """A new kind of path or an empty table must not turn this file into nothing."""
    assert len(MUTATING) >= 8
    assert not [path for _, path in ROUTES if "{" in path]


def test_no_mutating_route_is_open() -> None:
    """Each asks for push or delete."""
    assert {needs for _, _, needs in MUTATING} <= {Requirement.PUSH, Requirement.UPLOAD, Requirement.DELETE}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_reader_with_a_secret_is_denied(client: httpx.Client, method: str, path: str) -> None:
    """403 with the sentence that docker prints."""
    reply = client.request(method, path, content=b"{}", auth=BASIC)
    error = reply.json()["errors"][0]
    assert (reply.status_code, error["code"]) == (403, "DENIED")
    assert error["message"].startswith("principal acrpull (role AcrPull) may not ")
    assert error["message"].endswith((": needs role AcrPush or Owner", ": needs role AcrDelete or Owner"))


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_reader_with_a_token_is_told_the_same(client: httpx.Client, method: str, path: str) -> None:
    """401 with insufficient_scope for programs, and the sentence for the person."""
    scope = "repository:team/app:pull,push,delete,*"
    token = client.get("/oauth2/token", params={"scope": scope}, auth=BASIC).json()["token"]
    reply = client.request(method, path, content=b"{}", headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"].endswith(',error="insufficient_scope"')
    assert "principal acrpull (role AcrPull) may not " in reply.json()["errors"][0]["message"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_anonymous_caller_is_challenged(client: httpx.Client, method: str, path: str) -> None:
    """401 with the challenge, although everybody may pull."""
    reply = client.request(method, path, content=b"{}")
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (401, "UNAUTHORIZED")
    assert reply.headers["WWW-Authenticate"].startswith(f'Bearer realm="{client.base_url}/oauth2/token",service="')


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_anonymous_token_changes_nothing(client: httpx.Client, method: str, path: str) -> None:
    """Nor does the token that anybody can get."""
    token = client.get("/oauth2/token", params={"scope": "repository:team/app:*"}).json()["token"]
    reply = client.request(method, path, content=b"{}", headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code == 401


def test_refused_requests_left_nothing(client: httpx.Client) -> None:
    """After all of these, the registry is as empty as before."""
    owner = person(Role.OWNER)
    reply = client.get("/v2/_catalog", auth=(owner.row.name, owner.secret()))
    assert reply.json() == {"repositories": []}
