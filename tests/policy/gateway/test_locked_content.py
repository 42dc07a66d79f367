"""What is locked against lists and reads, below `/admin/v1`: it is for those who own the registry."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.trees import cleared_image
from tests.policy.live import LiveGateway, live_gateway

APP = "/admin/v1/repositories/team/app"


@pytest.fixture(name="live", scope="module")
def _live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """`v1` and `v2` are two images, `v2` and its image are locked against lists, `v1` against reads."""
    folder: Path = tmp_path_factory.mktemp("locked")
    with live_gateway(folder / "data") as live, live.client("admin") as client:
        live.push(folder / "one", "team/app:v1", cleared_image())
        digest = live.push(folder / "two", "team/app:v2", cleared_image("two"))
        for bearer in ("_tags/v2", f"_manifests/{digest}"):
            client.patch(f"/acr/v1/team/app/{bearer}", json={"listEnabled": False}).raise_for_status()
        client.patch("/acr/v1/team/app/_tags/v1", json={"readEnabled": False}).raise_for_status()
        yield live


@pytest.mark.parametrize(("who", "count"), [("admin", 2), ("reader", 1)])
@pytest.mark.parametrize("what", ["tags", "manifests"])
def test_what_is_locked_against_lists_is_in_none(live: LiveGateway, what: str, who: str, count: int) -> None:
    """Neither tag nor manifest."""
    with live.client(who) as client:
        assert len(client.get(f"{APP}/_{what}").json()[what]) == count


@pytest.mark.parametrize(("who", "tags"), [("admin", ["v2"]), ("reader", [])])
def test_a_manifest_is_shown_without_hidden_tags(live: LiveGateway, who: str, tags: list[str]) -> None:
    """It can be asked for itself."""
    with live.client(who) as client:
        assert client.get(f"{APP}/_manifests/v2").json()["tags"] == tags


@pytest.mark.parametrize(("who", "is_withheld"), [("admin", False), ("reader", True)])
def test_what_is_locked_against_reads_shows_no_parts(live: LiveGateway, who: str, is_withheld: bool) -> None:
    """With the reason instead."""
    with live.client(who) as client:
        told = client.get(f"{APP}/_manifests/v1").json()
    assert ("locked against reads" in told.get("withheld", ""), not told.get("references")) == (is_withheld,) * 2
