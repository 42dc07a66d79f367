"""The verdict in the form of ACR's quarantine."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from registry.auth.actions import Role
from registry.auth.enrolment import draft, record
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


SCANNERS = (Role.ACR_QUARANTINE_READER, Role.ACR_QUARANTINE_WRITER)


@pytest.fixture(scope="module")
def scanners(lab: LiveGateway) -> dict[Role, tuple[str, str]]:
    """A name and a secret for each role of scanners."""
    made = {role: draft(role.value.lower(), role) for role in SCANNERS}
    for each in made.values():
        asyncio.run(lab.registry.app.services.stores.metadata.write(record, each))
    return {role: (each.row.name, each.secret()) for role, each in made.items()}


def digest_of(client: httpx.Client, name: str, tag: str) -> str:
    """What a tag points at."""
    return str(client.get(f"/acr/v1/{name}/_tags/{tag}").json()["tag"]["digest"])


@pytest.mark.parametrize("role", SCANNERS)
def test_scanners_pull_what_is_withheld(lab: LiveGateway, scanners: dict[Role, tuple[str, str]], role: Role) -> None:
    """Manifest and layers; they push nothing, and what they pull is no more fit for a deployment."""
    with lab.registry.client(auth=scanners[role]) as client:
        manifest = client.get(f"/v2/{NAME}/manifests/bad")
        layers = [client.get(f"/v2/{NAME}/blobs/{each['digest']}").status_code for each in manifest.json()["layers"]]
        assert (manifest.status_code, set(layers)) == (200, {200})
        assert client.post(f"/v2/{NAME}/blobs/uploads/").status_code == 403
        checked = client.post("/policy/v1/references:check", json={"reference": f"{NAME}:bad"}).json()
    assert checked["allowed"] is False


def test_a_writer_releases_and_holds_back(lab: LiveGateway, name: str, scanners: dict[Role, tuple[str, str]]) -> None:
    """A refused image passes at once, for who only pulls, and no longer."""
    with lab.registry.client(auth=scanners[Role.ACR_QUARANTINE_WRITER]) as writer, lab.client("reader") as reader:
        place = f"/acr/v1/{name}/_manifests/{digest_of(reader, name, 'v2')}"
        found = []
        for state in ("Passed", "Failed", "Passed"):
            change = {"quarantineState": state, "quarantineDetails": '{"state":"by hand"}'}
            answer = writer.patch(place, json=change).json()["manifest"]["changeableAttributes"]
            assert answer["quarantineState"] == state
            found.append(reader.get(f"/v2/{name}/manifests/v2").status_code)
        assert found == [200, 403, 200]
        assert "by hand" in answer["quarantineDetails"]


REFUSED = [
    ("AcrQuarantineWriter", "v1", {"quarantineState": "Failed"}, 405),
    ("AcrQuarantineWriter", "v2", {"quarantineState": "Fine"}, 400),
    ("AcrQuarantineWriter", "v2", {"quarantineDetails": "{}"}, 400),
    ("AcrQuarantineWriter", "v2", {"readEnabled": False}, 403),
    ("AcrQuarantineReader", "v2", {"quarantineState": "Passed"}, 403),
]


@pytest.mark.parametrize(("role", "tag", "change", "status"), REFUSED)
def test_what_a_scanner_may_not(  # noqa: PLR0917
    lab: LiveGateway,
    name: str,
    scanners: dict[Role, tuple[str, str]],
    role: str,
    tag: str,
    change: dict[str, Any],
    status: int,
) -> None:
    """Fail what the policy has cleared, make up a state, lock; and a reader changes nothing."""
    with lab.registry.client(auth=scanners[Role(role)]) as client:
        place = f"/acr/v1/{name}/_manifests/{digest_of(client, name, tag)}"
        assert client.patch(place, json=change).status_code == status


def test_who_pushes_releases_nothing(lab: LiveGateway, name: str) -> None:
    """That would be the pusher's own word for its image."""
    made = draft("quarantined-pusher", Role.ACR_PUSH)
    asyncio.run(lab.registry.app.services.stores.metadata.write(record, made))
    with lab.registry.client(auth=(made.row.name, made.secret())) as client:
        place = f"/acr/v1/{name}/_manifests/{digest_of(client, name, 'v2')}"
        assert client.patch(place, json={"quarantineState": "Passed"}).status_code == 403
