"""The trash, retention and sinks of a server, from elsewhere: what is done, who may, and what is recorded."""

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
from tests.clients.trees import cleared_image, refused_image
from tests.policy.cli.transfers import signed_in
from tests.policy.live import LiveGateway, live_gateway
from tests.registry.auth.people import enrol

RULES = {"rules": [{"keep": [{"tags": ["good"]}], "else": "delete"}]}
SINK = {"name": "ci", "url": "http://127.0.0.1:9/", "local": True}


@pytest.fixture(name="live")
def _live(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server with an image that the rules keep and one that they do not; `tenant` owns `team/*` alone."""
    with live_gateway(tmp_path / "data", retention=RULES, events={"sinks": [SINK]}) as live:
        tenant = draft("tenant", Role.OWNER, ["team/*"])
        enrol(tmp_path / "data", tenant)
        live.secrets["tenant"] = tenant.secret()
        live.push(tmp_path / "good", "team/app:good", cleared_image())
        live.push(tmp_path / "bad", "team/app:bad", refused_image())
        yield live


def command(live: LiveGateway, *words: str, who: str = "admin", **more: Any) -> Result:
    """A command on the server."""
    return CliRunner().invoke(basegate, [*words[:2], live.host, *words[2:]], env=signed_in(live, who), **more)


def asked(live: LiveGateway, who: str, method: str, path: str, **more: Any) -> httpx.Response:
    """A request of somebody."""
    with live.client(who) as client:
        return client.request(method, path, **more)


def has(live: LiveGateway, tag: str) -> bool:
    """Whether a tag is there."""
    return asked(live, "admin", "HEAD", f"/v2/team/app/manifests/{tag}").status_code == 200


def removed(live: LiveGateway) -> str:
    """The name of the run that has removed `bad`."""
    assert command(live, "tag", "rm", "team/app:bad").exit_code == 0
    name: str = json.loads(command(live, "trash", "ls", "--json").stdout)[0]["name"]
    return name


def planned(live: LiveGateway, tmp_path: Path) -> str:
    """A file with a plan."""
    file = tmp_path / "plan.json"
    file.write_text(command(live, "retention", "plan", "--json").stdout)
    return str(file)


def test_what_was_removed_comes_back(live: LiveGateway) -> None:
    """By the name of its run."""
    run = removed(live)
    assert not has(live, "bad")
    told = command(live, "trash", "restore", run)
    assert (told.exit_code, has(live, "bad"), run in told.stdout) == (0, True, True)


def test_an_emptied_trash_brings_nothing_back(live: LiveGateway) -> None:
    """After --yes, since nobody can be asked."""
    run = removed(live)
    assert command(live, "trash", "empty").exit_code == 2
    assert command(live, "trash", "empty", "--yes").exit_code == 0
    told = command(live, "trash", "restore", run)
    assert (told.exit_code, "can be brought back" in told.stderr) == (2, True)


def test_a_repository_that_is_not_there_is_told(live: LiveGateway) -> None:
    """404, and the command says which."""
    assert asked(live, "admin", "GET", "/admin/v1/retention/explanations/team/absent").status_code == 404
    told = command(live, "retention", "plan", "--repository", "team/absent")
    assert (told.exit_code, "no repository team/absent" in told.stderr) == (2, True)


def test_a_plan_is_run(live: LiveGateway, tmp_path: Path) -> None:
    """As it was read."""
    plan = planned(live, tmp_path)
    told = command(live, "retention", "run", "--plan", plan, "--yes")
    assert (told.exit_code, has(live, "bad"), has(live, "good")) == (0, False, True), told.output


def test_a_plan_of_before_is_refused(live: LiveGateway, tmp_path: Path) -> None:
    """When anything else comes out by now."""
    plan = planned(live, tmp_path)
    live.push(tmp_path / "more", "team/app:more", refused_image())
    told = command(live, "retention", "run", "--plan", plan, "--yes")
    assert (told.exit_code, "older than the state" in told.stderr, has(live, "bad")) == (2, True, True)


def test_a_run_without_a_plan_asks(live: LiveGateway) -> None:
    """With what would go."""
    told = command(live, "retention", "run")
    assert (told.exit_code, "Remove 1 tags and 1 manifests?" in told.stderr, has(live, "bad")) == (2, True, True)
    assert command(live, "retention", "run", "--yes").exit_code == 0
    assert not has(live, "bad")


def test_who_had_it_removed_is_recorded(live: LiveGateway) -> None:
    """Of each thing, with the run; and it is counted."""
    report = json.loads(command(live, "retention", "run", "--yes", "--json").stdout)
    found: list[dict[str, Any]] = []
    while len(found) < 2:  # they are written a moment later
        lines = (live.registry.data / "audit" / "audit.log").read_text().splitlines()
        found = [line for line in map(json.loads, lines) if line["action"] == "retention.delete"]
    assert {(line["name"], line["detail"]) for line in found} == {("admin", f"run={report['run']}")}
    assert "basegate_retention_removed_total 2.0" in asked(live, "admin", "GET", "/metrics").text


def test_why_things_are_kept(live: LiveGateway) -> None:
    """Of one repository."""
    told = command(live, "retention", "plan", "--repository", "team/app")
    assert (told.exit_code, "kept good:" in told.stdout, "delete team/app:bad" in told.stdout) == (0, True, True)


def test_a_sink_is_shown_moved_and_tried(live: LiveGateway) -> None:
    """It cannot be reached here."""
    while not json.loads(command(live, "events", "sinks", "--json").stdout):
        time.sleep(0.05)  # it begins with the server
    assert command(live, "events", "replay", "--sink", "ci", "--after", "0").exit_code == 0
    assert command(live, "events", "test", "--sink", "ci").exit_code == 2
    told = command(live, "events", "test", "--sink", "other")
    assert (told.exit_code, "no sink is called other" in told.stderr) == (2, True)


def test_collections_that_are_asked_for_are_counted(live: LiveGateway) -> None:
    """As those that the server begins by itself."""
    assert command(live, "gc", "run").exit_code == 0
    assert "basegate_gc_runs_total 1.0" in asked(live, "admin", "GET", "/metrics").text


def test_events_of_what_one_may_pull(live: LiveGateway) -> None:
    """And of nothing else."""
    mine = json.loads(command(live, "events", "ls", "--kind", "tag.set", "--json").stdout)
    assert [each["tag"] for each in mine] == ["good", "bad"]
    assert json.loads(command(live, "events", "ls", "--json", who="outsider").stdout) == []


@pytest.mark.parametrize("who", ["reader", "tenant"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "trash"),
        ("POST", "trash/restore"),
        ("POST", "trash/empty"),
        ("POST", "retention/plan"),
        ("POST", "retention/run"),
        ("GET", "retention/explanations/team/app"),
        ("GET", "sinks"),
        ("POST", "sinks/ci/replay"),
        ("POST", "sinks/ci/test"),
    ],
)
def test_only_owners_of_everything(live: LiveGateway, who: str, method: str, path: str) -> None:
    """Nobody else looks at these, or changes them."""
    assert asked(live, who, method, f"/admin/v1/{path}", json={}).status_code == 403
    assert has(live, "bad")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("trash/restore", {}),
        ("trash/restore", {"run": 5}),
        ("trash/empty", {"x": 1}),
        ("retention/plan", {"x": 1}),
        ("retention/run", {"made": "2026-11-20T10:00:00Z"}),
        ("retention/run", {"made": "then", "digest": "0"}),
        ("sinks/ci/replay", {}),
        ("sinks/ci/replay", {"after": -1}),
        ("sinks/ci/replay", {"after": True}),
        ("sinks/ci/test", {"x": 1}),
    ],
)
def test_what_is_not_understood(live: LiveGateway, path: str, body: dict[str, Any]) -> None:
    """400, and nothing is begun."""
    assert asked(live, "admin", "POST", f"/admin/v1/{path}", json=body).status_code == 400
    assert has(live, "bad")


@pytest.mark.parametrize("last", ["x", "1/", "9/a/b", "1e5/gc-1", "-1/gc-1"])
def test_a_page_that_nobody_told_of(live: LiveGateway, last: str) -> None:
    """Is refused."""
    assert asked(live, "admin", "GET", "/admin/v1/trash", params={"last": last}).status_code == 400
