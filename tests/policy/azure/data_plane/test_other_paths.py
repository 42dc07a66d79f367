"""Paths below `/acr` that are not served: nobody may take the answer for a success."""

import httpx
import pytest

from policy.azure.data_plane.repositories import absent
from tests.policy.every_row import every_row
from tests.policy.live import LiveGateway

PATHS = ("/acr/", "/acr/v1", "/acr/v2/_catalog")
METHODS = next(row for row in every_row() if row.handler is absent).methods.split()


@pytest.fixture
def anonymous(lab: LiveGateway) -> httpx.Client:
    """A client without credentials; the test closes it."""
    return lab.registry.client()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", METHODS)
def test_without_credentials_a_caller_is_challenged(anonymous: httpx.Client, method: str, path: str) -> None:
    """401 with a scope, which Microsoft's SDK needs; an anonymous token is none."""
    with anonymous:
        token = anonymous.get("/oauth2/token", params={"scope": "registry:catalog:*"}).json()["token"]
        for headers in ({}, {"Authorization": f"Bearer {token}"}):
            reply = anonymous.request(method, path, headers=headers)
            assert reply.status_code == 401
            assert 'scope="registry:catalog:*"' in reply.headers["WWW-Authenticate"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("caller", ["admin", "reader", "outsider"])
def test_who_has_signed_in_is_told_that_there_is_nothing(lab: LiveGateway, method: str, path: str, caller: str) -> None:
    """405 in the form of the specification, whatever the role."""
    with lab.client(caller) as client:
        reply = client.request(method, path)
    assert reply.status_code == 405
    if method != "HEAD":
        assert reply.json()["errors"][0]["code"] == "UNSUPPORTED"


@pytest.mark.parametrize("path", ["/acr/v1/UPPER", "/acr/v1/_other", "/acr/v1/team/_other/x"])
def test_what_can_be_no_repository_is_refused(lab: LiveGateway, path: str) -> None:
    """400, not the 404 of a repository that is gone."""
    with lab.client("admin") as client:
        assert client.delete(path).status_code == 400


SCOPES = [
    ("GET", "/acr/v1/_catalog", "registry:catalog:*"),
    ("GET", "/acr/v1/team/app", "repository:team/app:metadata_read"),
    ("GET", "/acr/v1/team%2Fapp/_tags/good", "repository:team/app:metadata_read"),
    ("PATCH", "/acr/v1/team/app/_tags/good", "repository:team/app:metadata_write"),
    ("DELETE", "/acr/v1/team/app/_tags/good", "repository:team/app:delete"),
    ("DELETE", "/acr/v1/team/app", "repository:team/app:delete"),
]


@pytest.mark.parametrize(("method", "path", "scope"), SCOPES)
def test_a_challenge_names_what_is_needed(lab: LiveGateway, method: str, path: str, scope: str) -> None:
    """Without a space behind a comma; and a token of that scope is taken as a secret is."""
    with lab.registry.client() as client:
        challenge = client.request(method, path).headers["WWW-Authenticate"]
        asked = {"scope": scope, "service": lab.host}
        token = client.get("/oauth2/token", params=asked, auth=("reader", lab.secrets["reader"])).json()["token"]
        reply = client.request(method, path, headers={"Authorization": f"Bearer {token}"})
    assert challenge == f'Bearer realm="{lab.registry.url}/oauth2/token",service="{lab.host}",scope="{scope}"'
    assert reply.status_code == (200 if method == "GET" else 401)


def test_the_null_guid_signs_in_with_a_refresh_token(lab: LiveGateway) -> None:
    """What `az acr login` hands to docker is taken on every path, for as much as its principal may."""
    form = {"grant_type": "password", "username": "reader", "password": lab.secrets["reader"], "access_type": "offline"}
    with lab.registry.client() as client:
        first = client.post("/oauth2/token", data=form).json()["refresh_token"]
        exchanged = client.post("/oauth2/exchange", data={"grant_type": "access_token", "access_token": first}).json()
        basic = ("00000000-0000-0000-0000-000000000000", exchanged["refresh_token"])
        paths = ("/v2/", "/v2/team/app/manifests/good", "/acr/v1/team/app/_tags/good")
        assert {client.get(path, auth=basic).status_code for path in paths} == {200}
        assert client.delete("/acr/v1/team/app", auth=basic).status_code == 403
