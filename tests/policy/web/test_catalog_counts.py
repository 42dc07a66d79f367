"""Counts beside the filters of the catalog: those of the search, of what the caller may see."""

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


def tally(signed_in: SignedIn, name: str) -> Any:
    """What the catalog counts for somebody."""
    return signed_in(name).get("/index.json").json()["tally"]


def test_each_count_is_that_of_its_search(signed_in: SignedIn) -> None:
    """The link of a filter leads to so many images."""
    client, found = signed_in("admin"), tally(signed_in, "admin")
    shares = [share for every in found["shares"].values() for share in every]
    assert {share["name"] for share in shares} >= {"cleared", "refused", "pending", "Ubuntu 16.04", "4.5", "3.6"}
    for share in shares:
        images = client.get("/search.json", params={"where": share["conditions"]}).json()["images"]
        assert (share["conditions"], len(images)) == (share["conditions"], share["count"])
    assert not found["more"]


def test_nobody_is_told_of_what_they_may_not_see(signed_in: SignedIn) -> None:
    """No count, and no filter."""
    assert tally(signed_in, "outsider")["images"] == 0
    assert 'class="facets"' not in signed_in("outsider").get("/").text
    assert 'class="facets"' in signed_in("reader").get("/").text


def test_a_program_s_token_counts_what_it_is_for(live: LiveGateway) -> None:
    """A token of one repository hears of no other, whatever was counted before."""
    scope = {"service": live.host, "scope": "repository:team/multi:pull"}
    with live.client("reader") as client:
        whole = client.get("/index.json").json()["tally"]["images"]
        token = client.get("/oauth2/token", params=scope).json()["access_token"]
    with live.registry.client(headers={"Authorization": f"Bearer {token}"}) as narrow:
        assert 0 < narrow.get("/index.json").json()["tally"]["images"] < whole


@pytest.fixture(name="none")
def _none(live: LiveGateway) -> Iterator[None]:
    """While a test runs, nothing is counted."""
    settings, before = live.registry.app.settings, live.registry.app.settings.current
    assert isinstance(before, Settings)
    settings.replace(before.model_copy(update={"web": before.web.model_copy(update={"counted": 0})}))
    yield
    settings.replace(before)


@pytest.mark.usefixtures("none")
def test_filters_may_be_switched_off(live: LiveGateway) -> None:
    """By a setting; the catalog is there."""
    scope = {"service": live.host, "scope": "repository:team/app:pull"}
    with live.client("reader") as client:
        token = client.get("/oauth2/token", params=scope).json()["access_token"]
    with live.registry.client(headers={"Authorization": f"Bearer {token}"}) as fresh:
        document = fresh.get("/index.json").json()
    assert (document["tally"]["images"], [each["name"] for each in document["repositories"]]) == (0, ["team/app"])


def test_counts_are_remembered_for_a_while(signed_in: SignedIn) -> None:
    """So that a catalog that is read page by page counts once."""
    client = signed_in("reader")
    first = client.get("/index.json").json()["tally"]
    assert client.get("/index.json").json()["tally"] == first
