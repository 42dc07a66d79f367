"""Collecting garbage on a server, from elsewhere: the run, its progress, who may, and undoing it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.oci.digest import Digest
from tests.clients.trees import cleared_image
from tests.policy.cli.transfers import signed_in
from tests.policy.live import LiveGateway, live_gateway

ORPHAN = b"nobody names this"


@pytest.fixture(name="live")
def _live(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server that waits for nothing, with a blob that no manifest names."""
    with live_gateway(tmp_path / "data", gc={"grace_seconds": 0}) as live:
        live.push(tmp_path / "v1", "team/app:v1", cleared_image())
        with live.client("admin") as client:
            where = client.post("/v2/team/app/blobs/uploads/").headers["location"]
            client.put(where, params={"digest": Digest.of(ORPHAN)}, content=ORPHAN).raise_for_status()
        yield live


def command(live: LiveGateway, *words: str) -> Result:
    """A command of garbage, as admin."""
    return CliRunner().invoke(basegate, ["gc", words[0], live.host, *words[1:]], env=signed_in(live, "admin"))


def asked(live: LiveGateway, who: str, method: str, path: str, **more: Any) -> httpx.Response:
    """A request of somebody."""
    with live.client(who) as client:
        return client.request(method, f"/admin/v1/{path}", **more)


def holds(live: LiveGateway) -> bool:
    """Whether the blob is there."""
    with live.client("admin") as client:
        return client.head(f"/v2/team/app/blobs/{Digest.of(ORPHAN)}").status_code == 200


def test_collecting_and_undoing(live: LiveGateway) -> None:
    """What nobody names goes, and comes back."""
    plan = json.loads(command(live, "dry-run", "--json").stdout)
    assert (plan["blobs"], holds(live)) == ([Digest.of(ORPHAN)], True)
    assert (command(live, "run").exit_code, holds(live)) == (0, False)
    assert (command(live, "undo").exit_code, holds(live)) == (0, True)


def test_nothing_to_undo(live: LiveGateway) -> None:
    """The registry's own words."""
    told = command(live, "undo")
    assert (told.exit_code, "can be brought back" in told.stderr) == (2, True)


def test_why_content_is_kept(live: LiveGateway) -> None:
    """By its digest."""
    told = command(live, "explain", Digest.of(ORPHAN))
    assert (told.exit_code, told.stdout.startswith(f"{Digest.of(ORPHAN)} is ")) == (0, True)


def test_for_good_is_asked_for(live: LiveGateway) -> None:
    """What may not be brought back needs --yes."""
    assert command(live, "run", "--unknown-too").exit_code == 2
    assert command(live, "run", "--unknown-too", "--yes").exit_code == 0


def test_a_run_can_be_asked_for(live: LiveGateway) -> None:
    """Who began it, how far it has come, and what came of it."""
    begun = asked(live, "admin", "POST", "gc/run", json={})
    run = asked(live, "admin", "GET", f"runs/{begun.json()['run']}", params={"wait": "yes"}).json()
    while run["state"] == "running":
        time.sleep(0.05)
        run = asked(live, "admin", "GET", f"runs/{run['run']}").json()
    assert (run["kind"], run["by"], run["state"], run["error"]) == ("gc.run", "admin", "done", "")
    assert (run["result"]["blobs"], run["progress"]["counting"]) == (1, "files")


def test_no_such_run(live: LiveGateway) -> None:
    """404."""
    assert asked(live, "admin", "GET", "runs/none").status_code == 404


@pytest.mark.parametrize("who", ["reader", "outsider"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "gc/plan"),
        ("POST", "gc/run"),
        ("POST", "gc/undo"),
        ("GET", f"gc/explanations/{Digest.of(ORPHAN)}"),
        ("GET", "runs/none"),
    ],
)
def test_only_owners(live: LiveGateway, who: str, method: str, path: str) -> None:
    """Nobody else collects, or learns what there is."""
    assert asked(live, who, method, path).status_code == 403
    assert holds(live)


@pytest.mark.parametrize(
    ("path", "body"), [("gc/run", {"unknown_too": "yes"}), ("gc/run", {"x": 1}), ("gc/plan", {"x": 1})]
)
def test_what_is_not_understood(live: LiveGateway, path: str, body: dict[str, Any]) -> None:
    """400, and nothing is begun."""
    assert asked(live, "admin", "POST", path, json=body).status_code == 400
    assert holds(live)
