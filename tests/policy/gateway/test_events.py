"""The feed of events over HTTP: pages, and who may see what."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.trees import cleared_image
from tests.policy.live import LiveGateway, live_gateway

PATH = "/policy/v1/events"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server with an image in one repository, and the same in another."""
    with live_gateway(tmp_path / "data", policy={"events": False}) as gateway:
        gateway.push(tmp_path / "one", "team/app:v1", cleared_image())
        gateway.push(tmp_path / "two", "elsewhere/app:v1", cleared_image())
        yield gateway


def asked(live: LiveGateway, name: str, **params: Any) -> dict[str, Any]:
    """The answer to a principal."""
    with live.client(name) as client:
        answer = client.get(PATH, params=params)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def kinds(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Repository and kind of the events in an answer, without those of verdicts."""
    return [(each["repository"], each["kind"]) for each in document["events"] if not each["kind"].startswith("verdict")]


def test_who_may_push_hears_everything_in_order(live: LiveGateway) -> None:
    """From the cursor 0 on: blobs, the manifest, the tag."""
    told = kinds(asked(live, "admin", after=0, repository="team/*"))
    assert told[-2:] == [("team/app", "manifest.pushed"), ("team/app", "tag.set")]
    assert set(told[:-2]) == {("team/app", "blob.pushed")}


def test_a_reader_hears_nothing_of_blobs(live: LiveGateway) -> None:
    """They may be of an image that is withheld."""
    assert {kind for _, kind in kinds(asked(live, "reader"))} == {"manifest.pushed", "tag.set"}


def test_what_may_be_seen_follows_the_repositories(live: LiveGateway) -> None:
    """A principal of one repository hears nothing of another."""
    assert {repository for repository, _ in kinds(asked(live, "outsider"))} == {"elsewhere/app"}


def test_nothing_is_told_of_what_is_locked_against_lists(live: LiveGateway) -> None:
    """As on the page of activity; the cursor goes past it."""
    before = asked(live, "reader")
    with live.client("admin") as client:
        client.patch("/acr/v1/team/app/_tags/v1", json={"listEnabled": False}).raise_for_status()
    told = asked(live, "reader")
    assert {each.get("tag", "") for each in told["events"] if each["repository"] == "team/app"} == {""}
    assert int(told["next"]) > int(before["next"])


def test_pages_follow_one_another(live: LiveGateway) -> None:
    """One event at a time, by the cursor of the answer before: the same as in one page."""
    whole, cursor, found = asked(live, "reader")["events"], "0", []
    while (page := asked(live, "reader", after=cursor, n=1))["more"] or page["events"]:
        found += page["events"]
        cursor = page["next"]
    assert found == whole


def test_a_page_looks_at_a_bounded_number(tmp_path: Path) -> None:
    """A caller that may see few gets an empty page whose cursor leads on."""
    with live_gateway(tmp_path / "data", events={"looked_at": 2, "page": 1}, policy={"events": False}) as live:
        live.push(tmp_path / "one", "team/app:v1", cleared_image())
        page = asked(live, "outsider")
    assert (page["events"], page["next"], page["more"]) == ([], "2", True)


def test_a_pushed_manifest_is_described(live: LiveGateway) -> None:
    """Its type, its size, its tags and who pushed it."""
    event = asked(live, "reader", kind="manifest.pushed", repository="team/app")["events"][0]
    assert event["actor"]["name"] == "admin"
    assert event["details"]["tags"] == ["v1"]
    assert event["details"]["size"] > 0
    assert event["details"]["media_type"] == "application/vnd.oci.image.manifest.v1+json"


@pytest.mark.parametrize(
    "params", [{"after": "x"}, {"after": "-1"}, {"after": "9" * 19}, {"n": "x"}, {"kind": ["a"] * 51}]
)
def test_what_is_no_question_is_refused(live: LiveGateway, params: dict[str, Any]) -> None:
    """In the error form, with what is needed."""
    with live.client("reader") as client:
        answer = client.get(PATH, params=params)
    assert (answer.status_code, "errors" in answer.json()) == (400, True)


def test_nobody_hears_without_signing_in(live: LiveGateway) -> None:
    """401 with a challenge."""
    assert httpx.get(f"{live.registry.url}{PATH}").status_code == 401
