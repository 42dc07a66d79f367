"""The verdict in the form of ACR's quarantine."""

import json
from typing import Any

import pytest

from tests.policy.live import LiveGateway

NAME = "team/app"


def quarantine_of(lab: LiveGateway, tag: str) -> tuple[str, dict[str, Any]]:
    """State and details of what a tag points at, as somebody who may only pull reads them."""
    with lab.client("reader") as client:
        digest = client.get(f"/acr/v1/{NAME}/_tags/{tag}").json()["tag"]["digest"]
        told = client.get(f"/acr/v1/{NAME}/_manifests/{digest}").json()["manifest"]["changeableAttributes"]
    return told["quarantineState"], json.loads(told["quarantineDetails"])


@pytest.mark.parametrize(("tag", "wanted"), [("good", "Passed"), ("bad", "Failed"), ("both", "Failed")])
def test_the_state_is_the_verdict_s(lab: LiveGateway, tag: str, wanted: str) -> None:
    """Of images and of indexes."""
    assert quarantine_of(lab, tag)[0] == wanted


def test_the_details_are_of_acr_s_schema(lab: LiveGateway) -> None:
    """Its members and no others; the description says what was found."""
    _, details = quarantine_of(lab, "bad")
    assert details.keys() == {"scanner", "state", "link", "result"}
    assert details["result"].keys() == {"version", "summary", "description"}
    assert details["result"]["summary"] == [{"severity": "High", "count": 1}]
    assert "Python 3.7.1 found" in details["result"]["description"]
    assert len(details["result"]["description"]) <= 1024


def test_the_link_leads_to_the_explanation(lab: LiveGateway) -> None:
    """Whoever may pull can follow it."""
    with lab.client("reader") as client:
        found = client.get(quarantine_of(lab, "bad")[1]["link"]).json()
    assert (found["allowed"], found["verdict"]) == (False, "refused")
