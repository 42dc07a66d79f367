"""Scope maps and repository-scoped tokens over ARM, and what such a token may at the registry."""

import time
from typing import Any

import httpx
import pytest

from tests.policy.azure.endpoint import REGISTRY, LiveEndpoint, code_of

READ = "repositories/team/app/content/read"
MAPS, TOKENS = f"{REGISTRY}/scopeMaps", f"{REGISTRY}/tokens"


@pytest.fixture
def owner(endpoint: LiveEndpoint) -> Any:
    """Who may make them."""
    with endpoint.signed_in() as client:
        yield client


def put_map(owner: httpx.Client, name: str, *actions: str) -> httpx.Response:
    """`az acr scope-map create`."""
    return owner.put(f"{MAPS}/{name}", json={"properties": {"actions": list(actions)}})


def put_token(owner: httpx.Client, name: str, scope_map: str, **more: str) -> httpx.Response:
    """`az acr token create`."""
    return owner.put(f"{TOKENS}/{name}", json={"properties": {"scopeMapId": f"{MAPS}/{scope_map}", **more}})


def generated(owner: httpx.Client, token: str, **more: str) -> httpx.Response:
    """`az acr token credential generate`."""
    return owner.post(f"{REGISTRY}/generateCredentials", json={"tokenId": f"{TOKENS}/{token}", **more})


def granted(endpoint: LiveEndpoint, name: str, password: str) -> str:
    """What the token gets of everything that it asks for."""
    query = {"service": "x", "scope": "repository:team/app:pull,push,delete"}
    answer = httpx.get(f"{endpoint.gateway.registry.url}/oauth2/token", params=query, auth=(name, password))
    return str(answer.raise_for_status().json()["scope"])


def test_the_maps_that_are_always_there(owner: httpx.Client) -> None:
    """In ACR's names."""
    found = {each["name"]: each["properties"]["type"] for each in owner.get(MAPS).json()["value"]}
    assert found["_repositories_pull"] == found["_repositories_admin"] == "SystemDefined"


def test_a_map_is_made_changed_and_removed(owner: httpx.Client) -> None:
    """201, then 200; what is not said stays."""
    assert put_map(owner, "made-map", READ).status_code == 201
    changed = owner.patch(f"{MAPS}/made-map", json={"properties": {"description": "for a test"}}).json()
    assert changed["properties"]["actions"] == [READ]
    assert owner.get(f"{MAPS}/made-map").json()["properties"]["description"] == "for a test"
    assert owner.delete(f"{MAPS}/made-map").status_code == 200
    assert code_of(owner.get(f"{MAPS}/made-map")) == (404, "ResourceNotFound")


def test_a_token_gets_what_its_map_grants(endpoint: LiveEndpoint, owner: httpx.Client) -> None:
    """With each of its passwords, until it is disabled."""
    put_map(owner, "reading", READ)
    assert put_token(owner, "reading-token", "reading").status_code == 201
    passwords = generated(owner, "reading-token").raise_for_status().json()["passwords"]
    assert [each["name"] for each in passwords] == ["password1", "password2"]
    for each in passwords:
        assert granted(endpoint, "reading-token", each["value"]) == "repository:team/app:pull"
    owner.patch(f"{TOKENS}/reading-token", json={"properties": {"status": "disabled"}}).raise_for_status()
    assert owner.get(f"{TOKENS}/reading-token").json()["properties"]["status"] == "disabled"
    with pytest.raises(httpx.HTTPStatusError):
        granted(endpoint, "reading-token", passwords[0]["value"])


def test_passwords_are_shown_once(owner: httpx.Client) -> None:
    """Their names and ends are shown again."""
    put_map(owner, "showing", READ)
    put_token(owner, "showing-token", "showing")
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    made = generated(owner, "showing-token", name="password2", expiry=ends).json()["passwords"]
    shown = owner.get(f"{TOKENS}/showing-token")
    assert [each["expiry"] for each in shown.json()["properties"]["credentials"]["passwords"]] == [ends]
    assert made[0]["value"] not in shown.text


def test_a_token_does_not_sign_in_here(endpoint: LiveEndpoint, owner: httpx.Client) -> None:
    """It is for content, not for what manages it."""
    put_map(owner, "outside", READ)
    put_token(owner, "outside-token", "outside")
    endpoint.gateway.secrets["outside-token"] = generated(owner, "outside-token").json()["passwords"][0]["value"]
    with endpoint.signed_in("outside-token") as client:
        assert code_of(client.get(REGISTRY)) == (403, "AuthorizationFailed")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", f"{MAPS}/x", {"properties": {"actions": [READ]}}),
        ("PUT", f"{MAPS}/bad-action", {"properties": {"actions": ["anything"]}}),
        ("PUT", f"{MAPS}/no-action", {"properties": {"actions": []}}),
        ("PUT", f"{MAPS}/no-texts", {"properties": {"actions": [1]}}),
        ("PUT", f"{MAPS}/too-many", {"properties": {"actions": [READ] * 501}}),
        ("PUT", f"{MAPS}/_repositories_pull", {"properties": {"actions": [READ]}}),
        ("DELETE", f"{MAPS}/_repositories_pull", None),
        ("DELETE", f"{MAPS}/absent", None),
        ("PUT", f"{TOKENS}/no-map", {"properties": {}}),
        ("PUT", f"{TOKENS}/absent-map", {"properties": {"scopeMapId": f"{MAPS}/absent"}}),
        ("PUT", f"{TOKENS}/other", {"properties": {"scopeMapId": "/subscriptions/x/scopeMaps/reading"}}),
        ("PUT", f"{TOKENS}/admin", {"properties": {"scopeMapId": f"{MAPS}/_repositories_admin"}}),
        ("PUT", f"{TOKENS}/status", {"properties": {"scopeMapId": f"{MAPS}/_repositories_pull", "status": "x"}}),
        ("DELETE", f"{TOKENS}/admin", None),
        ("POST", f"{REGISTRY}/generateCredentials", {}),
        ("POST", f"{REGISTRY}/generateCredentials", {"tokenId": f"{TOKENS}/admin"}),
        ("POST", f"{REGISTRY}/generateCredentials", {"tokenId": f"{TOKENS}/x", "expiry": "yesterday"}),
        ("POST", f"{REGISTRY}/generateCredentials", {"tokenId": f"{TOKENS}/x", "expiry": "0001-01-01T00:00:00+14:00"}),
    ],
)
def test_what_cannot_be_is_refused(owner: httpx.Client, method: str, path: str, body: dict[str, Any] | None) -> None:
    """With 400 and a reason: a principal with a role is not touched by any of it."""
    answer = owner.request(method, path, json=body)
    assert code_of(answer)[0] == 400


@pytest.mark.parametrize("path", [f"{MAPS}/some-map", f"{TOKENS}/some-token"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_only_an_owner_makes_them(endpoint: LiveEndpoint, method: str, path: str) -> None:
    """A reader sees them."""
    with endpoint.signed_in("reader") as client:
        assert code_of(client.request(method, path, json={})) == (403, "AuthorizationFailed")
        assert client.get(path.rpartition("/")[0]).status_code == 200
