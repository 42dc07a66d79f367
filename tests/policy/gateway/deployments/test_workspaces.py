"""Workspaces over HTTP."""

from pathlib import Path

import httpx
import pytest

from policy.testing.credentials import enrolment
from registry.auth.actions import Role
from tests.clients.trees import cleared_image
from tests.policy.gateway.deployments.test_deployments import body, get, post
from tests.policy.live import LiveGateway, live_gateway
from tests.registry.auth.people import enrol


def put(gateway: LiveGateway, name: str, who: str = "admin", content: str = "") -> int:
    """Create one; the status."""
    with gateway.client(who) as client:
        return client.put(f"/policy/v1/workspaces/{name}", content=content).status_code


def test_a_registry_comes_with_the_first_deployment(tmp_path: Path) -> None:
    """Null before, its id afterwards."""
    with live_gateway(tmp_path / "data", deployments={"registry_name": "myregistry"}) as live:
        live.push(tmp_path / "good", "team/app:good", cleared_image())
        before = get(live, "workspaces/default").json()["containerRegistry"]
        post(live, body(live, "first"))
        after = get(live, "workspaces/default").json()["containerRegistry"]
    assert (before, after.rpartition("/")[2]) == (None, "myregistry")


def test_one_is_created(gateway: LiveGateway) -> None:
    """With the resource group that is asked for, and deployed into."""
    assert put(gateway, "lab1", content='{"resourceGroup": "group"}') == 201
    assert "/resourceGroups/group/" in get(gateway, "workspaces/LAB1").json()["id"]
    assert post(gateway, body(gateway, "inside", workspace="lab1")).json()["deployment"]["workspace"] == "lab1"


def test_who_may_create_one(gateway: LiveGateway) -> None:
    """Owners."""
    assert put(gateway, "lab2", "reader") == 403


def test_an_owner_of_some_repositories_creates_none(gateway: LiveGateway) -> None:
    """Workspaces are of the registry as a whole."""
    made, credentials = enrolment("team-owner", Role.OWNER, "team/*")
    enrol(gateway.registry.data, made)
    gateway.secrets[credentials.username] = credentials.password
    assert put(gateway, "lab6", credentials.username) == 403


def test_a_narrow_token_of_an_owner_creates_none(gateway: LiveGateway) -> None:
    """What no scope stands for needs the secret itself."""
    with gateway.client("admin") as client:
        asked = {"service": gateway.host, "scope": "repository:team/app:pull"}
        token = client.get("/oauth2/token", params=asked).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        answer = httpx.put(f"http://{gateway.host}/policy/v1/workspaces/lab5", headers=bearer)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "DENIED")


def test_names_and_bodies_that_are_none(gateway: LiveGateway) -> None:
    """400, and nothing is made."""
    bodies = ["[]", '{"location": "x"}', '{"subscription": "x"}', '{"resourceGroup": 7}', '{"resourceGroup": "a/b"}']
    assert {put(gateway, "lab3", content=content) for content in bodies} == {400}
    assert put(gateway, "a") == 400
    assert get(gateway, "workspaces/lab3").status_code == 404


def test_one_that_is_there_is_not_made_again(gateway: LiveGateway) -> None:
    """400; the list has it once."""
    assert (put(gateway, "lab4"), put(gateway, "lab4")) == (201, 400)
    names = [each["name"] for each in get(gateway, "workspaces").json()["workspaces"]]
    assert names.count("lab4") == 1


@pytest.mark.parametrize("bearer", ["team/locked", "team/locked/_tags/good"])
def test_what_is_locked_against_reads_cannot_be_deployed(gateway: LiveGateway, tmp_path: Path, bearer: str) -> None:
    """Nobody could pull it."""
    gateway.push(tmp_path / "good", "team/locked:good", cleared_image())
    with gateway.client("admin") as client:
        for readable in (False, True):
            assert client.patch(f"/acr/v1/{bearer}", json={"readEnabled": readable}).status_code in {200, 202}
            asked = {"reference": f"{gateway.host}/team/locked:good"}
            answer = client.post("/policy/v1/references:check", json=asked).json()
            assert answer["allowed"] is readable, answer
