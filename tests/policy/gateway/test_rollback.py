"""Going back to an earlier image is judged as a push is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import live_gateway

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
EXEMPTION = {"repositories": "*", "rule": "*", "owner": "ann", "reason": "lab", "until": TOMORROW}


def test_a_tag_goes_back_to_nothing_that_a_push_would_not_bring(tmp_path: Path) -> None:
    """In mode reject, an image whose exemption is over; the tag stays where it is."""
    with live_gateway(tmp_path / "data", policy={"mode": "reject"}) as live, live.client("admin") as client:
        exemption = client.post("/admin/v1/exemptions", json=EXEMPTION).json()["id"]
        live.push(tmp_path / "bad", "team/app:v1", refused_image())
        good = live.push(tmp_path / "good", "team/app:v1", cleared_image())
        client.delete(f"/admin/v1/exemptions/{exemption}").raise_for_status()
        refused = client.post("/admin/v1/repositories/team/app/_tags/v1/_rollback", json={})
        assert (refused.status_code, "is not cleared" in refused.text) == (403, True)
        assert client.head("/v2/team/app/manifests/v1").headers["docker-content-digest"] == good
