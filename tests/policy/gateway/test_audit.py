"""What is asked and answered at the door to a deployment is on record."""

import json
import time
from typing import Any

import httpx
import pytest

from tests.policy.live import LiveGateway


def line_of(gateway: LiveGateway, response: httpx.Response) -> dict[str, Any]:
    """The audit log's line of a request; it is written when the answer has left."""
    path, request = gateway.registry.data / "audit" / "audit.log", response.headers["x-request-id"]
    deadline = time.monotonic() + 10
    while not (found := [line for line in path.read_text().splitlines() if request in line]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    line: dict[str, Any] = json.loads(found[0])
    return line


@pytest.mark.parametrize(("tag", "decision"), [("good", "allowed: cleared"), ("bad", "denied: refused")])
def test_a_check_names_image_and_decision(gateway: LiveGateway, tag: str, decision: str) -> None:
    """The image as it was asked for, its digest, and what was answered."""
    image = f"{gateway.host}/team/app:{tag}"
    answer = gateway.check("reader", reference=image)
    line = line_of(gateway, answer)
    assert (line["action"], line["name"], line["status"]) == ("routes.check", "reader", 200)
    assert (line["reference"], line["digest"], line["decision"]) == (image, answer.json()["digest"], decision)


def test_a_check_of_a_configuration_names_its_image(gateway: LiveGateway) -> None:
    """And not the file."""
    image = f"{gateway.host}/team/app:good"
    environment = {"name": "e", "docker": {"enabled": True, "baseImage": image}}
    config = {"entryScript": "score.py", "environment": environment}
    line = line_of(gateway, gateway.check("reader", inferenceConfig=config))
    assert (line["reference"], line["decision"]) == (image, "allowed: cleared")


def test_who_may_not_ask_is_named_with_the_image(gateway: LiveGateway) -> None:
    """There is no decision, and the reason is that of the refusal."""
    image = f"{gateway.host}/team/app:good"
    line = line_of(gateway, gateway.check("outsider", reference=image))
    assert (line["reference"], line["decision"], line["result"]) == (image, "", "refused")


def test_an_unknown_image_is_no_clearance(gateway: LiveGateway) -> None:
    """It is on record all the same."""
    answer = gateway.check("reader", reference=f"{gateway.host}/team/app:none")
    assert line_of(gateway, answer)["decision"].startswith("denied: ")


def test_an_explanation_has_its_decision(gateway: LiveGateway) -> None:
    """GET of a verdict."""
    with gateway.client("reader") as client:
        line = line_of(gateway, client.get("/policy/v1/repositories/team/app/manifests/bad/verdict"))
    assert (line["repository"], line["reference"], line["decision"]) == ("team/app", "bad", "denied: refused")
