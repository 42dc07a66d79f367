"""The search by facts as a page: what it finds, for whom, and what it says of what it cannot read."""

import pytest

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
