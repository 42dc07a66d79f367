"""Pages of other sites, and the administration API: a browser adds the caller's credentials to what they send."""

from pathlib import Path

import pytest

from tests.policy.live import live_gateway

OTHER_SITES = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://elsewhere.example"},
    {"Origin": "null"},
]


def test_a_page_of_another_site_changes_nothing(tmp_path: Path) -> None:
    """An empty body needs no leave of the browser: the request itself is refused."""
    with live_gateway(tmp_path) as live, live.client("admin") as client:
        for headers in OTHER_SITES:
            refused = client.post("/admin/v1/gc/run", headers=headers)
            assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, "DENIED")
            assert "another site" in refused.json()["errors"][0]["message"]


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_request_of_ones_own_goes_on(tmp_path: Path, site: str) -> None:
    """With the origin of the registry itself."""
    with live_gateway(tmp_path) as live, live.client("admin") as client:
        headers = {"Sec-Fetch-Site": site, "Origin": f"http://{live.host}"}
        assert client.post("/admin/v1/gc/plan", headers=headers).is_success


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_is_no_json_by_its_type(tmp_path: Path, kind: str) -> None:
    """Is what a form can send."""
    with live_gateway(tmp_path) as live, live.client("admin") as client:
        told = client.post("/admin/v1/gc/plan", content=b"{}", headers={"Content-Type": kind})
        assert (told.status_code, "application/json" in told.text) == (400, True)
