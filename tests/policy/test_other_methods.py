"""Methods that no route offers."""

import re
from collections.abc import Iterator

import pytest

from tests.policy.every_row import every_row
from tests.policy.live import LiveGateway, live_gateway

PATHS = sorted({row.path for row in every_row() if ":path}" not in row.path})


@pytest.fixture(scope="module", name="live")
def _live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    with live_gateway(tmp_path_factory.mktemp("methods") / "data") as live:
        yield live


@pytest.mark.parametrize("path", PATHS)
def test_another_method_of_a_path(live: LiveGateway, path: str) -> None:
    """405, with those that there are, whatever else the path could mean."""
    place = re.sub(r"\{\w+\}", "v1", path.replace("{name:repository}", "team/app"))
    with live.client("admin") as client:
        answer = client.request("TRACE", place)
    assert (answer.status_code, bool(answer.headers.get("allow"))) == (405, True), answer.text


@pytest.mark.parametrize("method", ["GET", "TRACE"])
def test_a_name_that_is_none(live: LiveGateway, method: str) -> None:
    """Is told as such, whatever the method."""
    with live.client("admin") as client:
        answer = client.request(method, "/v2/Team/tags/list")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "NAME_INVALID")
