"""What is changed by the data plane is on record: who, where, and to what."""

import pytest

from tests.policy.gateway.test_audit import line_of
from tests.policy.live import LiveGateway

CHANGES = [
    (
        "PATCH",
        "/_tags/v1",
        {"deleteEnabled": False, "readEnabled": True},
        "acr.change_tag",
        "deleteEnabled=false readEnabled=true",
    ),
    ("PATCH", "/_tags/v1", {}, "acr.change_tag", ""),
    ("PATCH", "", {"listEnabled": True}, "acr.change_repository", "listEnabled=true"),
    ("PATCH", "/_manifests/{digest}", {"quarantineState": "Passed"}, "acr.change_manifest", "quarantineState=Passed"),
    ("DELETE", "/_tags/v2", {}, "acr.untag", ""),
    ("DELETE", "", {}, "acr.delete_repository", ""),
]


@pytest.mark.parametrize(("method", "path", "body", "action", "decision"), CHANGES)
def test_a_change_says_what_it_was(  # noqa: PLR0917
    lab: LiveGateway, name: str, method: str, path: str, body: dict[str, object], action: str, decision: str
) -> None:
    """The operation with repository and reference, and what was asked for."""
    with lab.client("admin") as client:
        digest = client.get(f"/acr/v1/{name}/_tags/v2").json()["tag"]["digest"]
        reference = path.format(digest=digest)
        answer = client.request(method, f"/acr/v1/{name}{reference}", json=body)
    line = line_of(lab, answer)
    assert (line["action"], line["name"], line["repository"]) == (action, "admin", name)
    assert (line["reference"], line["decision"]) == (reference.rpartition("/")[2], decision)
    assert line["status"] == answer.status_code
