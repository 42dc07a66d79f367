"""The search by facts as a page: what it finds, for whom, and what it says of what it cannot read."""

import html
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from policy.settings import Settings
from tests.policy.live import LiveGateway
from tests.policy.web.conftest import SignedIn


@pytest.fixture(autouse=True)
def settled(live: LiveGateway) -> None:
    """What was pushed a moment ago is in policy.db."""
    live.settle()


@pytest.mark.parametrize(
    ("fields", "tags"),
    [
        ({"where": "verdict=refused"}, ["bad"]),
        ({"verdict": "refused"}, ["bad"]),
        ({"os": "ubuntu", "where": "repository=team/app"}, ["bad", "good"]),
        ({"python": "3.6", "where": "repository=team/app"}, ["good"]),
        ({"age": "90d"}, []),
        ({"conda": "3"}, []),
        ({"size": "10GB"}, []),
        ({"older": "14.04"}, []),
    ],
    ids=str,
)
def test_fields_and_conditions(signed_in: SignedIn, fields: dict[str, str], tags: list[str]) -> None:
    """All hold together; the page says what the document says."""
    client = signed_in("admin")
    images = client.get("/search.json", params=fields).json()["images"]
    assert sorted(each["tags"][0]["tag"] for each in images if each["tags"]) == tags
    page = client.get("/search", params=fields).text
    assert all(f">{tag}</a>" in page for tag in tags)


def test_nothing_asked_nothing_found(signed_in: SignedIn) -> None:
    """The page explains what can be asked for."""
    client = signed_in("admin")
    assert client.get("/search.json").json() == {"conditions": [], "images": [], "next": "", "problem": ""}
    assert "tag.age" in client.get("/search").text


@pytest.mark.parametrize("where", ["nonsense", "os.versions<16", "base=team/none:v1", "base=Bad_Name", "<script>=1"])
def test_what_cannot_be_read_is_told(signed_in: SignedIn, where: str) -> None:
    """Where one typed it, as text."""
    client = signed_in("reader")
    assert client.get("/search.json", params={"where": where}).json()["problem"]
    page = client.get("/search", params={"where": where})
    assert page.status_code == 200
    assert 'role="alert"' in page.text
    assert "<script>=1" not in page.text


def test_who_sees_nothing_finds_nothing(signed_in: SignedIn) -> None:
    """No row, no place to go on at."""
    found = signed_in("outsider").get("/search.json", params={"where": "kind~*"}).json()
    assert (found["images"], found["next"]) == ([], "")


def test_a_session_is_needed(live: LiveGateway) -> None:
    """Else there is the form, and nothing else."""
    with live.registry.client() as client:
        answer = client.get("/search?where=verdict%3Drefused")
    assert (answer.status_code, "team/app" in answer.text) == (401, False)


def test_the_last_pull_of_a_tag_is_shown(signed_in: SignedIn) -> None:
    """Where nobody has pulled, that is said."""
    tags = signed_in("admin").get("/r/team/multi.json").json()["tags"]
    assert [each["pulled"] for each in tags] == [None]
    assert "Last pull" in signed_in("admin").get("/r/team/multi").text


@pytest.fixture(name="one_row")
def _one_row(live: LiveGateway) -> Iterator[None]:
    """While a test runs, a page has one row."""
    settings, before = live.registry.app.settings, live.registry.app.settings.current
    assert isinstance(before, Settings)
    settings.replace(before.model_copy(update={"web": before.web.model_copy(update={"rows": 1})}))
    yield
    settings.replace(before)


@pytest.mark.usefixtures("one_row")
@pytest.mark.parametrize(
    "fields",
    [{"where": 'repository="team/app" tag!="a b&c"'}, {"os": "ubuntu", "where": "repository~team/app"}],
    ids=str,
)
def test_the_link_to_more_asks_the_same(signed_in: SignedIn, fields: dict[str, str]) -> None:
    """As it was typed, marks and fields included: together the pages have each image once."""
    client = signed_in("admin")
    page, tags = client.get("/search", params=fields).text, list[str]()
    while link := re.search(r'rel="next" href="(.*?)"', page):
        tags += re.findall(r'title="(bad|good)"', page)
        page = client.get(html.unescape(link[1])).text
    tags += re.findall(r'title="(bad|good)"', page)
    assert sorted(tags) == ["bad", "good"]


def test_who_pulled_is_for_owners(live: LiveGateway, signed_in: SignedIn) -> None:
    """Others are told when."""
    digest = signed_in("admin").get("/r/team/app:good.json").json()["digest"]
    with live.client("reader") as client:
        client.get(f"/v2/team/app/manifests/{digest}", headers={"Accept": "*/*"}).raise_for_status()
    pulled: dict[str, list[dict[str, Any]]] = {}
    for name in ("admin", "reader"):
        for _ in range(100):
            pulled[name] = signed_in(name).get(f"/r/team/app@{digest}.json").json()["pulled"]
            if pulled[name]:
                break
            time.sleep(0.1)
    assert [{each["name"] for each in pulled[name]} for name in ("admin", "reader")] == [{"reader"}, {""}]
