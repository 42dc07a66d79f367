"""Times for which UTC has no date."""

from pathlib import Path

import pytest

from tests.clients.trees import cleared_image
from tests.policy.live import live_gateway

NEVER = ["9999-12-31T23:59:59-23:00", "9999-12-31T23:59:59.999999Z"]


@pytest.mark.parametrize("until", NEVER)
def test_an_exemption_cannot_last_so_long(tmp_path: Path, until: str) -> None:
    """It is refused, and the list of exemptions can still be told."""
    asked = {"repositories": "*", "rule": "*", "owner": "ann", "reason": "lab", "until": until}
    with live_gateway(tmp_path) as live, live.client("admin") as client:
        refused = client.post("/admin/v1/exemptions", json=asked)
        assert (refused.status_code, "the end is" in refused.text) == (400, True)
        assert client.get("/admin/v1/exemptions").json() == {"exemptions": []}


@pytest.mark.parametrize("at", [*NEVER, "0001-01-01T00:00:00+23:00"])
def test_the_past_of_a_tag_is_not_asked_there(tmp_path: Path, at: str) -> None:
    """Neither shown nor gone back to."""
    path = "/admin/v1/repositories/team/app/_tags/v1"
    with live_gateway(tmp_path / "data") as live, live.client("admin") as client:
        live.push(tmp_path / "v1", "team/app:v1", cleared_image())
        told = client.get(f"{path}/_history", params={"at": at}), client.post(f"{path}/_rollback", json={"at": at})
        assert [(each.status_code, "no time with a zone" in each.text) for each in told] == [(400, True)] * 2
