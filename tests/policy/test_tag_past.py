"""The history of a tag by the administration API, page by page, and by command."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from policy.cli.main import basegate
from tests.clients.trees import cleared_image, refused_image
from tests.policy.cli.transfers import signed_in
from tests.policy.live import LiveGateway, live_gateway

PATH = "/admin/v1/repositories/team/app/_tags/v1/_history"


@pytest.fixture(scope="module", name="live")
def _live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A server with pages of two entries, and a tag that moved twice."""
    folder = tmp_path_factory.mktemp("past")
    with live_gateway(folder / "data", history={"page": 2}) as live:
        for number, image in enumerate((refused_image(), cleared_image(), refused_image())):
            live.push(folder / str(number), "team/app:v1", image)
        yield live


def page(live: LiveGateway, **asked: str) -> Any:
    """A page of the history."""
    with live.client("admin") as client:
        return client.get(PATH, params=asked).json()


def test_none_are_asked_for(live: LiveGateway) -> None:
    """And none are told."""
    assert page(live, n="0") == {"entries": [], "next": ""}


def test_page_by_page(live: LiveGateway) -> None:
    """Behind `next` the following one begins, and the last has none."""
    first = page(live, n="1000")
    second = page(live, last=first["next"])
    assert ([len(each["entries"]) for each in (first, second)], second["next"]) == ([2, 1], "")


@pytest.mark.parametrize("last", ["x", "-1", "9" * 19])
def test_a_page_that_nobody_told_of(live: LiveGateway, last: str) -> None:
    """Is refused."""
    with live.client("admin") as client:
        assert client.get(PATH, params={"last": last}).status_code == 400


@pytest.mark.parametrize(("count", "shown"), [("2", 2), ("1000", 3), ("5000", 3)])
@pytest.mark.parametrize("place", ["server", "folder"])
def test_a_command_reads_all_pages(live: LiveGateway, place: str, count: str, shown: int) -> None:
    """As many entries as are asked for."""
    words = ["--data", str(live.registry.data)] if place == "folder" else [live.host]
    asked = ["tag", "history", *words, "team/app:v1", "--count", count, "--json"]
    told = CliRunner().invoke(basegate, asked, env=signed_in(live, "admin"))
    assert len(json.loads(told.stdout)) == shown
