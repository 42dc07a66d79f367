"""Deletes have an author in events, whichever way they were asked for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.clients.trees import cleared_image
from tests.policy.live import LiveGateway, live_gateway
from tests.policy.web.conftest import SignedIn
from tests.policy.web.test_changes import send

_APP = "/admin/v1/repositories/team/app"
WAYS: dict[str, Callable[[httpx.Client, str], httpx.Response]] = {
    "tag, API": lambda client, _digest: client.delete(f"{_APP}/_tags/good"),
    "manifest, API": lambda client, digest: client.delete(f"{_APP}/_manifests/{digest}"),
    "tag, page": lambda client, _digest: send(client, "/delete/team/app:good", {"name": "good"}),
}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server with one image."""
    with live_gateway(tmp_path / "data") as gateway:
        gateway.push(tmp_path / "good", "team/app:good", cleared_image())
        yield gateway


@pytest.mark.parametrize("way", WAYS)
def test_events_name_who_deleted(live: LiveGateway, signed_in: SignedIn, way: str) -> None:
    """The owner who asked."""
    with live.client("admin") as program:
        digest = program.head("/v2/team/app/manifests/good").headers["docker-content-digest"]
        answer = WAYS[way](signed_in("admin") if "page" in way else program, digest)
        assert answer.status_code in {200, 303}
        told = program.get("/policy/v1/events", params={"after": 0, "n": 100}).json()["events"]
    assert {each.get("actor", {}).get("name") for each in told if each["kind"].endswith(".deleted")} == {"admin"}
