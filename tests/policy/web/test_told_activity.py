"""What activity tells: a push as one row, and what was refused to whom."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.trees import refused_image
from tests.policy.live import LiveGateway
from tests.policy.web.conftest import SignedIn

TYPE = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
ANY = {"Accept": "*/*"}


def events(signed_in: SignedIn, repository: str) -> list[dict[str, Any]]:
    """What activity has of a repository, the latest first."""
    document = signed_in("reader").get("/activity.json").json()
    return [each for each in document["events"] if each["repository"] == repository]


def test_a_push_is_one_row(live: LiveGateway, signed_in: SignedIn, tmp_path: Path) -> None:
    """With its tag and verdict; neither the tag that it set nor its first verdict is told again."""
    live.push(tmp_path, "one/app:v1", refused_image())
    (pushed,) = events(signed_in, "one/app")
    assert (pushed["kind"], pushed["tag"], pushed["verdict"]) == ("manifest.pushed", "v1", "refused")


def test_an_exemption_is_told(live: LiveGateway, signed_in: SignedIn, tmp_path: Path) -> None:
    """On the push and on the change of its verdict, which is refused as before."""
    live.push(tmp_path, "exempt/app:v1", refused_image("exempt"))
    asked = {"repositories": "exempt/app", "rule": "*", "owner": "ann", "reason": "moves", "until": "2999-01-31"}
    with live.client("admin") as client:
        client.post("/admin/v1/exemptions", json=asked).raise_for_status()
    told = events(signed_in, "exempt/app")
    assert {(each["verdict"], each["exempt"]) for each in told} == {("refused", True)}
    assert '<span class="exempt">exempt</span>' in signed_in("reader").get("/activity").text


def test_rows_that_are_waited_for_are_asked_for_alone(live: LiveGateway, signed_in: SignedIn, tmp_path: Path) -> None:
    """Nothing else comes with them; what somebody may not hear of, or is no event, is left out."""
    live.push(tmp_path, "only/app:v1", refused_image("only"))
    (pushed,) = events(signed_in, "only/app")
    asked = {"only": f"{pushed['id']},{10**17},x"}
    assert signed_in("reader").get("/activity.json", params=asked).json()["events"] == [pushed]
    assert signed_in("outsider").get("/activity.json", params=asked).json()["events"] == []
    page = signed_in("reader").get("/activity", params=asked).text
    assert (page.count("<tr "), f'id="event-{pushed["id"]}"' in page, "data-after" in page) == (2, True, False)


def test_a_tag_that_moves_by_itself_is_a_row(live: LiveGateway, signed_in: SignedIn, tmp_path: Path) -> None:
    """As a rollback does."""
    first = live.push(tmp_path / "1", "moved/app:v1", refused_image("1"))
    live.push(tmp_path / "2", "moved/app:v1", refused_image("2"))
    with live.client("admin") as client:
        answer = client.post("/admin/v1/repositories/moved/app/_tags/v1/_rollback", json={"to": first})
    assert answer.status_code == 200, answer.text
    assert [each["kind"] for each in events(signed_in, "moved/app")] == [
        "tag.set",
        "manifest.pushed",
        "manifest.pushed",
    ]


def test_a_push_does_not_tell_of_a_tag_that_is_locked_against_lists(
    live: LiveGateway, signed_in: SignedIn, tmp_path: Path
) -> None:
    """The image is told, as it is listed."""
    live.push(tmp_path, "hidden/app:secret", refused_image())
    with live.client("admin") as client:
        client.patch("/acr/v1/hidden/app/_tags/secret", json={"listEnabled": False}).raise_for_status()
    (pushed,) = [each for each in events(signed_in, "hidden/app") if each["kind"] == "manifest.pushed"]
    assert (pushed["tag"], pushed["tags"]) == ("", [])


def refused(signed_in: SignedIn, name: str) -> list[dict[str, Any]]:
    """What activity says was refused, for somebody."""
    found: list[dict[str, Any]] = signed_in(name).get("/activity.json", params={"show": "refused"}).json()["refused"]
    return found


def test_a_refused_pull_and_reference_are_told(live: LiveGateway, signed_in: SignedIn) -> None:
    """Each once, however often it is tried, with the reason; who it was, for owners and for themselves."""
    with live.client("reader") as client:
        for _ in range(2):
            assert client.get("/v2/team/app/manifests/bad", headers=ANY).status_code == 403
    live.check("reader", reference=f"{live.host}/team/app:bad")
    reference, pull = refused(signed_in, "admin")[:2]
    assert (reference["what"], pull["what"], pull["times"], pull["tag"]) == ("reference", "pull", 2, "bad")
    assert "3.7.1" in pull["why"]
    assert (pull["verdict"], pull["by"]) == ("refused", "reader")
    page = signed_in("admin").get("/activity?show=refused").text
    assert "3.7.1" in page


def test_what_was_refused_is_for_who_may_pull_from_the_repository(live: LiveGateway, signed_in: SignedIn) -> None:
    """Others hear of nothing, not even how much there is."""
    with live.client("reader") as client:
        client.get("/v2/team/app/manifests/bad", headers=ANY)
    assert refused(signed_in, "outsider") == []
    assert signed_in("outsider").get("/activity.json").json()["refused_count"] == 0
    assert signed_in("reader").get("/activity.json").json()["refused_count"] > 0


def test_who_looks_at_a_page_was_refused_nothing(live: LiveGateway, signed_in: SignedIn, tmp_path: Path) -> None:
    """Although the content is withheld from the page too."""
    live.push(tmp_path, "looked/app:bad", refused_image("looked"))
    page = signed_in("reader").get("/r/looked/app:bad.json").json()
    assert page["withheld"]
    assert [each for each in refused(signed_in, "admin") if each["repository"] == "looked/app"] == []


@pytest.mark.parametrize("bearer", ["_tags/v1", "_manifests/{digest}", ""])
def test_refusals_of_what_is_locked_against_lists_are_not_told(
    live: LiveGateway, signed_in: SignedIn, tmp_path: Path, bearer: str
) -> None:
    """Of the tag, the manifest or the repository; told again when it is unlocked."""
    digest = live.push(tmp_path, "locked/app:v1", refused_image(f"locked {bearer}"))
    with live.client("reader") as client:
        client.get("/v2/locked/app/manifests/v1", headers=ANY)
    with live.client("admin") as client:
        for listed in (False, True):
            path = f"/acr/v1/locked/app/{bearer.format(digest=digest)}".rstrip("/")
            client.patch(path, json={"listEnabled": listed}).raise_for_status()
            found = [each for each in refused(signed_in, "admin") if each["digest"] == digest]
            assert bool(found) is listed


def test_the_document_is_json(signed_in: SignedIn) -> None:
    """Of both views."""
    for show in ("", "refused", "nonsense"):
        assert json.loads(signed_in("reader").get(f"/activity.json?show={show}").text)
