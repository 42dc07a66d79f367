"""Image reviews over HTTP, on a live server with real images."""

import pytest

from tests.policy.kubernetes.conftest import LAB
from tests.policy.kubernetes.reviews import image_review, image_reviewed
from tests.policy.live import LiveGateway

GOOD, BAD = f"{LAB}/team/app:good", f"{LAB}/team/app:bad"


def test_a_cleared_image(gateway: LiveGateway) -> None:
    """Allowed; the audit log is told its digest."""
    with gateway.client("reader") as client:
        status = image_reviewed(client, GOOD, GOOD)["status"]
    assert (status["allowed"], "reason" in status) == (True, False)
    assert status["auditAnnotations"]["images"].startswith(f"{GOOD} cleared {LAB}/team/app@sha256:")


def test_one_refused_image_of_several(gateway: LiveGateway) -> None:
    """Denied; the reason names each refused image with its fix, and no other."""
    with gateway.client("reader") as client:
        status = image_reviewed(client, GOOD, BAD, "nginx")["status"]
    assert not status["allowed"]
    assert status["reason"].startswith(f"{BAD} is not cleared by policy azureml-2019-07: Python 3.7.1 found")
    assert "conda install -y python=3.6); nginx:latest is on another registry (docker.io)" in status["reason"]
    assert GOOD not in status["reason"]


def test_an_update_without_containers(gateway: LiveGateway) -> None:
    """Ephemeral containers that are none name no image; Go leaves the empty list out."""
    body = image_review()
    del body["spec"]["containers"]
    with gateway.client("reader") as client:
        answer = client.post("/policy/v1/imagereview", json=body)
    assert (answer.status_code, answer.json()["status"]["allowed"]) == (200, True)


def test_who_may_not_pull_learns_nothing(gateway: LiveGateway) -> None:
    """Whatever the image is, and whether it is there."""
    with gateway.client("outsider") as client:
        said = {image_reviewed(client, f"{LAB}/team/app:{tag}")["status"]["reason"] for tag in ("good", "bad", "none")}
    assert len(said) == 1


@pytest.mark.parametrize("body", [image_review(GOOD), {}])
def test_an_anonymous_caller_learns_nothing(gateway: LiveGateway, body: dict[str, object]) -> None:
    """401 whatever is sent."""
    with gateway.registry.client() as client:
        assert client.post("/policy/v1/imagereview", json=body).status_code == 401


def test_plain_http_from_elsewhere(gateway: LiveGateway) -> None:
    """Is refused here as well."""
    with gateway.client("reader") as client:
        answer = client.post(
            "/policy/v1/imagereview", json=image_review(GOOD), headers={"X-Forwarded-For": "192.0.2.7"}
        )
    assert answer.status_code == 403
