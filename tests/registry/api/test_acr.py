"""`/acr/…` until the API is there: nobody may take the answer for a success."""

from collections.abc import Iterator

import httpx
import pytest

from registry.api.routes import TABLE
from registry.auth.actions import Role
from tests.registry.api.guarded import guarded_registry
from tests.registry.auth.people import person

ROLES = [person(role) for role in Role]
PATHS = ("/acr/v1/_catalog", "/acr/v1/team/app", "/acr/v1/team%2Fapp/_tags/v1?api-version=2021-07-01", "/acr/")
ROW = next(row for row in TABLE if row.path.startswith("/acr/"))
METHODS = ROW.methods.split()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a registry where anonymous pull is on."""
    with guarded_registry(tmp_path_factory.mktemp("data"), anonymous_pull=True) as live, live.client() as opened:
        yield opened


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", METHODS)
def test_without_credentials_a_caller_is_challenged(client: httpx.Client, method: str, path: str) -> None:
    """401 with a scope, which Microsoft's SDK needs; an anonymous token is none."""
    token = client.get("/oauth2/token", params={"scope": "registry:catalog:*"}).json()["token"]
    for headers in ({}, {"Authorization": f"Bearer {token}"}):
        reply = client.request(method, path, headers=headers)
        assert reply.status_code == 401
        assert 'scope="registry:catalog:*"' in reply.headers["WWW-Authenticate"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", METHODS)
def test_who_has_signed_in_is_told_that_there_is_no_such_api(client: httpx.Client, method: str, path: str) -> None:
    """405 in the form of the specification, whatever the role; by secret and by token."""
    for someone in ROLES:
        basic = (someone.row.name, someone.secret())
        scope = {"scope": "registry:catalog:*"}
        token = client.get("/oauth2/token", params=scope, auth=basic).json()["token"]
        replies = [client.request(method, path, auth=basic)]
        replies.append(client.request(method, path, headers={"Authorization": f"Bearer {token}"}))
        assert [reply.status_code for reply in replies] == [405, 405]
        if method != "HEAD":
            assert {reply.json()["errors"][0]["code"] for reply in replies} == {"UNSUPPORTED"}


def test_where_nobody_signs_in_it_is_told_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """`auth.required: false`."""
    with guarded_registry(tmp_path_factory.mktemp("open"), required=False) as live, live.client() as opened:
        assert opened.delete("/acr/v1/team").status_code == 405
