"""One thread of a server reads the long texts of all its doors."""

import threading
from pathlib import Path

from tests.clients.trees import cleared_image
from tests.policy.kubernetes.reviews import admission_review, container
from tests.policy.live import live_gateway


def readers() -> set[threading.Thread]:
    """The threads of this process that read long texts."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("parsing")}


def test_one_thread_for_all_doors(tmp_path: Path) -> None:
    """Of pushes, reviews, checks and changes; it ends with the server."""
    before = readers()
    with live_gateway(tmp_path / "data", limits={"loop_bytes": 1}) as live, live.client("admin") as client:
        live.push(tmp_path / "image", "team/app:v1", cleared_image())
        review = admission_review(container(f"{live.host}/team/app:v1"))
        client.post("/policy/v1/admission", json=review).raise_for_status()
        live.check("admin", reference=f"{live.host}/team/app:v1").raise_for_status()
        client.patch("/acr/v1/team/app", json={"writeEnabled": True}).raise_for_status()
        assert len(readers() - before) == 1
    assert readers() <= before
