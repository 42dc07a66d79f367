"""Principals that are made and changed on a server, from elsewhere: who may, what is told once, what is recorded."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.auth.actions import Role
from registry.auth.enrolment import draft
from registry.config.group import DAY
from registry.oci.timestamp import seconds_of
from tests.policy.cli.transfers import signed_in
from tests.policy.live import LiveGateway, live_gateway
from tests.registry.auth.people import enrol

HERE = "127.0.0.1"
ELSEWHERE = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "http"}
OVER_TLS = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
NEW = {"name": "ci", "role": "AcrPush", "repositories": ["team/*"]}


@pytest.fixture(name="live")
def _live(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server that believes what a proxy on this machine says; `tenant` owns `team/*` alone."""
    with live_gateway(tmp_path / "data", server={"trusted_proxies": [HERE]}) as live:
        tenant = draft("tenant", Role.OWNER, ["team/*"])
        enrol(tmp_path / "data", tenant)
        live.secrets["tenant"] = tenant.secret()
        yield live


def command(live: LiveGateway, *words: str) -> Result:
    """A command of principals, as admin."""
    first, *rest = words
    return CliRunner().invoke(basegate, ["principal", first, live.host, *rest], env=signed_in(live, "admin"))


def asked(live: LiveGateway, who: str, method: str, path: str, **more: Any) -> httpx.Response:
    """A request of somebody."""
    with live.client(who) as client:
        return client.request(method, f"/admin/v1/principals{path}", **more)


def signs_in(live: LiveGateway, name: str, secret: str) -> bool:
    """Whether somebody may."""
    with live.registry.client(auth=(name, secret)) as client:
        return client.get("/v2/").status_code == 200


def test_a_new_principal_signs_in(live: LiveGateway) -> None:
    """With each of its secrets, which nobody is told again."""
    made = json.loads(command(live, "create", "ci", "--role", "AcrPush", "--repositories", "team/*", "--json").stdout)
    values = [secret["value"] for secret in made["secrets"]]
    assert [signs_in(live, "ci", value) for value in values] == [True, True]
    told = command(live, "list", "--json").stdout + command(live, "show", "ci").stdout
    assert not any(value in told for value in values)


def test_a_renewed_secret_ends_the_old_one(live: LiveGateway) -> None:
    """And the other one goes on."""
    first = json.loads(command(live, "create", "ci", "--role", "AcrPull", "--json").stdout)["secrets"]
    new = json.loads(command(live, "rotate", "ci", "--secret", "password1", "--json").stdout)["secrets"]
    values = [new[0]["value"], first[0]["value"], first[1]["value"]]
    assert [signs_in(live, "ci", value) for value in values] == [True, False, True]


def test_secrets_live_as_long_as_the_server_says(tmp_path: Path) -> None:
    """New ones and renewed ones, where nobody says how long."""
    with live_gateway(tmp_path / "data", auth={"secret_days": 30}) as live:
        made = json.loads(command(live, "create", "ci", "--role", "AcrPull", "--json").stdout)
        renewed = json.loads(command(live, "rotate", "ci", "--json").stdout)
    ends = {seconds_of(secret["expires"])[0] for each in (made, renewed) for secret in each["secrets"]}
    assert {round((end - time.time()) / DAY) for end in ends} == {30}


def test_shut_out_and_in_again(live: LiveGateway) -> None:
    """At once."""
    command(live, "disable", "reader")
    shut = signs_in(live, "reader", live.secrets["reader"])
    command(live, "enable", "reader")
    assert (shut, signs_in(live, "reader", live.secrets["reader"])) == (False, True)


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("POST", "/reader/rotate")])
def test_a_secret_is_not_told_in_plain_http(live: LiveGateway, method: str, path: str) -> None:
    """To another machine; over TLS it is."""
    body = NEW if not path else {}
    refused = asked(live, "admin", method, path, json=body, headers=ELSEWHERE)
    told = asked(live, "admin", method, path, json=body, headers=OVER_TLS)
    assert (refused.status_code, told.is_success) == (403, True)
    assert "plain HTTP" in refused.text
    assert "value" not in refused.text


@pytest.mark.parametrize(
    "header", [{"X-Forwarded-For": HERE}, {"Forwarded": f"for={HERE}"}, {"X-Real-IP": HERE}, {"Via": "1.1 proxy"}]
)
def test_a_proxy_that_is_not_named(tmp_path: Path, header: dict[str, str]) -> None:
    """Is not this machine, although its requests come from there: who is behind it is not known."""
    with live_gateway(tmp_path / "data") as live:
        refused = asked(live, "admin", "POST", "", json=NEW, headers=header)
    assert (refused.status_code, "server.trusted_proxies" in refused.text) == (403, True)


@pytest.mark.parametrize("told", ["unknown", "_hidden"])
def test_a_proxy_that_does_not_tell_its_client(live: LiveGateway, told: str) -> None:
    """Is no better, although it is named."""
    assert asked(live, "admin", "POST", "", json=NEW, headers={"Forwarded": f"for={told}"}).status_code == 403


def test_a_refused_rotation_ends_nothing(live: LiveGateway) -> None:
    """The secret that there is goes on."""
    asked(live, "admin", "POST", "/reader/rotate", json={}, headers=ELSEWHERE)
    assert signs_in(live, "reader", live.secrets["reader"])


@pytest.mark.parametrize("who", ["reader", "tenant"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/admin"),
        ("POST", ""),
        ("POST", "/admin/rotate"),
        ("PATCH", "/admin"),
        ("DELETE", "/admin"),
    ],
)
def test_only_owners_of_everything(live: LiveGateway, who: str, method: str, path: str) -> None:
    """Whoever owns some repositories does not manage principals."""
    answer = asked(live, who, method, path, json=NEW if not path else {"enabled": False})
    assert (answer.status_code, "needs role Owner for all repositories" in answer.text) == (403, True)
    assert signs_in(live, "admin", live.secrets["admin"])


def test_a_narrow_token_is_not_enough(live: LiveGateway) -> None:
    """Also of an owner: it was asked for something else."""
    with live.client("admin") as client:
        scope = {"service": live.host, "scope": "repository:team/app:pull"}
        token = client.get("/oauth2/token", params=scope).json()["access_token"]
    with live.registry.client(headers={"Authorization": f"Bearer {token}"}) as client:
        assert client.get("/admin/v1/principals").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "ci"},
        {"name": 5, "role": "Owner"},
        {"name": "a b", "role": "Owner"},
        {"name": "ci", "role": "Emperor"},
        {"name": "ci", "role": ["Owner"]},
        {**NEW, "repositories": []},
        {**NEW, "repositories": "team/*"},
        {**NEW, "repositories": [1]},
        {**NEW, "repositories": ["NO"]},
        {**NEW, "days": 0},
        {**NEW, "days": True},
        {**NEW, "days": 1e9},
        {**NEW, "days": "long"},
        {**NEW, "secret": "mine"},
        {**NEW, "name": "reader"},
        [],
        "text",
    ],
)
def test_what_makes_no_principal(live: LiveGateway, body: Any) -> None:
    """Says what is wrong, and makes none."""
    answer = asked(live, "admin", "POST", "", json=body)
    assert (answer.status_code, bool(answer.json()["errors"][0]["message"])) == (400, True), answer.text
    assert asked(live, "admin", "GET", "/ci").status_code == 404


def test_who_did_it_is_recorded(live: LiveGateway) -> None:
    """By whom, from where, what; and no secret."""
    made = json.loads(command(live, "create", "ci", "--role", "AcrPull", "--json").stdout)
    lines = ""
    while "admin.create_principal" not in lines:  # it is written a moment later
        lines = (live.registry.data / "audit" / "audit.log").read_text()
    found = [json.loads(line) for line in lines.splitlines() if "admin.create_principal" in line]
    assert [(each["name"], each["address"], each["result"]) for each in found] == [("admin", HERE, "done")]
    assert "name=ci role=AcrPull" in found[0]["decision"]
    assert not any(secret["value"] in lines for secret in made["secrets"])


def test_deleting_asks(live: LiveGateway) -> None:
    """Without a terminal it needs --yes."""
    assert command(live, "delete", "reader").exit_code == 2
    assert command(live, "delete", "reader", "--yes").exit_code == 0
    assert not signs_in(live, "reader", live.secrets["reader"])
