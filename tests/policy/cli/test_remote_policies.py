"""Policies and exemptions that are ordered on a server, from elsewhere."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.cli.certificate_authority import make_certificates
from tests.architecture.source import ROOT
from tests.clients.trees import refused_image
from tests.policy.cli.transfers import signed_in
from tests.policy.live import LiveGateway, live_gateway

EXEMPTION = {"repositories": "team/*", "rule": "*", "owner": "ann", "reason": "moves", "until": "2999-01-31"}
POLICIES = ROOT / "config" / "policy"


@pytest.fixture(name="live")
def _live(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server with an image that the default policy refuses, over TLS."""
    made = make_certificates(tmp_path / "data")
    tls: dict[str, Any] = {"tls_cert": made.certificate, "tls_key": made.key}
    with live_gateway(tmp_path / "data", made.ca, **tls) as live:
        live.push(tmp_path / "bad", "team/app:bad", refused_image())
        yield live


def command(live: LiveGateway, first: str, *rest: str) -> Result:
    """A command of policies, as admin."""
    environment = {**signed_in(live, "admin"), "BASEGATE_CA_FILE": str(live.ca)}
    return CliRunner().invoke(basegate, ["policy", first, live.host, *rest], env=environment)


def asked(live: LiveGateway, method: str, path: str, **more: Any) -> httpx.Response:
    """A request of admin."""
    with live.client("admin") as client:
        return client.request(method, f"/admin/v1/{path}", **more)


def is_served(live: LiveGateway) -> bool:
    """Whether a reader gets the image."""
    with live.client("reader") as client:
        return client.get("/v2/team/app/manifests/bad").status_code == 200


def test_activating_and_back(live: LiveGateway) -> None:
    """At once for those who pull."""
    assert command(live, "activate", "azureml-2020-09").exit_code == 0
    after = is_served(live)
    assert command(live, "deactivate").exit_code == 0
    assert (after, is_served(live)) == (True, False)


def test_a_policy_of_this_machine(live: LiveGateway, tmp_path: Path) -> None:
    """The content of the file is sent, and counts."""
    shutil.copy(POLICIES / "azureml-2020-09.yaml", tmp_path / "own.yaml")
    done = command(live, "activate", str(tmp_path / "own.yaml"), "--json")
    assert (json.loads(done.stdout)["name"], is_served(live)) == ("azureml-2020-09", True)


def test_a_replay_changes_nothing(live: LiveGateway) -> None:
    """It says what would change."""
    told = json.loads(command(live, "replay", "azureml-2020-09", "--json").stdout)
    assert [(flip["before"], flip["after"]) for flip in told["flips"]] == [("refused", "cleared")]
    assert not is_served(live)


def test_an_exemption_and_its_end(live: LiveGateway) -> None:
    """At once for those who pull."""
    words = [part for name, value in EXEMPTION.items() for part in (f"--{name}", value)]
    made = json.loads(command(live, "exempt", *words, "--json").stdout)
    during = is_served(live)
    assert made["expires"] == "2999-01-31T00:00:00Z"
    assert command(live, "revoke", made["id"]).exit_code == 0
    assert (during, is_served(live)) == (True, False)


@pytest.mark.parametrize(
    "change",
    [
        {"until": "2020-01-31"},
        {"until": "soon"},
        {"until": 5},
        {"rule": "no-such"},
        {"repositories": "NO"},
        {"owner": " "},
        {"reason": "r" * 501},
        {"digest": "sha256:x"},
        {"color": "red"},
    ],
)
def test_what_is_no_exemption(live: LiveGateway, change: dict[str, Any]) -> None:
    """400 with what is needed, and none is made."""
    answer = asked(live, "POST", "exemptions", json=EXEMPTION | change)
    assert (answer.status_code, bool(answer.json()["errors"][0]["message"])) == (400, True)
    assert asked(live, "GET", "exemptions").json() == {"exemptions": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"policy": "no-such"},
        {"policy": 5},
        {"policy": "azureml-2019-07", "content": {}},
        {"content": {}},
        {"content": "name: x"},
        {"content": {"name": "x", "title": "t", "source": {"document": "d", "date": "2020-01-01"}, "rules": []}},
        {"policy": "azureml-2020-09", "repositories": "NO"},
        {"policy": "azureml-2020-09", "repositories": ["team/*"]},
    ],
)
def test_what_is_not_activated(live: LiveGateway, body: dict[str, Any]) -> None:
    """400 with what is wrong, and nothing changes."""
    assert asked(live, "POST", "policies/activate", json=body).status_code == 400
    assert not is_served(live)


@pytest.mark.parametrize(("method", "path"), [("DELETE", "exemptions/none"), ("GET", "policies/no-such")])
def test_what_is_not_there(live: LiveGateway, method: str, path: str) -> None:
    """404."""
    assert asked(live, method, path).status_code == 404


def test_who_did_it_is_recorded(live: LiveGateway) -> None:
    """By whom, what, and where it counts."""
    command(live, "activate", "azureml-2020-09", "--repositories", "team/*")
    lines = ""
    while "admin.activate_policy" not in lines:  # it is written a moment later
        lines = (live.registry.data / "audit" / "audit.log").read_text()
    found = next(json.loads(line) for line in lines.splitlines() if "admin.activate_policy" in line)
    assert (found["name"], found["result"]) == ("admin", "done")
    assert found["decision"].startswith("policy=azureml-2020-09 digest=sha256:")
    assert found["decision"].endswith("repositories=team/*")
