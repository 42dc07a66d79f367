"""Lists of the data plane: what is in them, in which order, page by page."""

from typing import Any

import httpx
import pytest

from tests.policy.live import LiveGateway

NAME = "team/app"


def entries(client: httpx.Client, path: str, member: str, **asked: str) -> list[dict[str, Any]]:
    """All entries of a list, following its links."""
    found: list[dict[str, Any]] = []
    answer = client.get(path, params=asked)
    while True:
        found += answer.json()[member]
        if "Link" not in answer.headers:
            return found
        assert "orderby=" in answer.headers["Link"]
        answer = client.get(answer.links["next"]["url"])


@pytest.mark.parametrize("n", ["1", "2", "100"])
@pytest.mark.parametrize(
    ("orderby", "wanted"),
    [("", "bad both good"), ("none", "bad both good"), ("timeasc", "good bad both"), ("timedesc", "both bad good")],
)
def test_tags_come_in_the_order_that_is_asked_for(lab: LiveGateway, orderby: str, wanted: str, n: str) -> None:
    """Names, or times; page by page the same."""
    with lab.client("reader") as client:
        found = entries(client, f"/acr/v1/{NAME}/_tags", "tags", n=n, orderby=orderby)
    assert [each["name"] for each in found] == wanted.split()


@pytest.mark.parametrize("n", ["1", "2", "100"])
@pytest.mark.parametrize("orderby", ["", "timeasc", "timedesc"])
def test_manifests_come_once_each(lab: LiveGateway, orderby: str, n: str) -> None:
    """By digest, or by time."""
    with lab.client("reader") as client:
        found = entries(client, f"/acr/v1/{NAME}/_manifests", "manifests", n=n, orderby=orderby)
    keys = [each["lastUpdateTime"] if orderby else each["digest"] for each in found]
    assert keys == sorted(keys, reverse=orderby == "timedesc")
    assert len({each["digest"] for each in found}) == len(found) == 3


def test_the_catalog_lists_what_the_caller_may_pull(lab: LiveGateway) -> None:
    """As `/v2/_catalog` does; who may pull elsewhere only sees nothing of it."""
    with lab.client("reader") as client, lab.client("outsider") as outsider:
        listed = client.get("/acr/v1/_catalog").json()
        assert listed == client.get("/v2/_catalog").json()
        assert NAME in listed["repositories"]
        assert outsider.get("/acr/v1/_catalog").json() == {"repositories": []}


def test_a_page_of_the_catalog_has_a_link(lab: LiveGateway, name: str) -> None:
    """Behind the last entry, percent-encoded."""
    with lab.client("reader") as client:
        answer = client.get("/acr/v1/_catalog", params={"n": 1})
        (first,) = answer.json()["repositories"]
        assert answer.headers["Link"] == f'</acr/v1/_catalog?last={first.replace("/", "%2F")}&n=1&orderby=>; rel="next"'


def test_tags_of_one_digest(lab: LiveGateway) -> None:
    """`?digest=`."""
    with lab.client("reader") as client:
        good = client.get(f"/acr/v1/{NAME}/_tags/good").json()["tag"]["digest"]
        found = client.get(f"/acr/v1/{NAME}/_tags", params={"digest": good}).json()["tags"]
    assert [each["name"] for each in found] == ["good"]


@pytest.mark.parametrize("query", ["orderby=size", "n=-1", "n=x", "orderby=timedesc&at=x", "digest=x"])
def test_what_cannot_be_asked_for_is_refused(lab: LiveGateway, query: str) -> None:
    """With a sentence, not with a list of something else."""
    with lab.client("reader") as client:
        assert client.get(f"/acr/v1/{NAME}/_tags?{query}").status_code == 400


def test_a_tag_that_went_meanwhile_is_no_hole(lab: LiveGateway, name: str) -> None:
    """The next page goes on behind where it was."""
    with lab.client("admin") as client:
        first = client.get(f"/acr/v1/{name}/_tags", params={"n": 1, "orderby": "timeasc"})
        assert client.delete(f"/acr/v1/{name}/_tags/v1").status_code == 202
        rest = client.get(first.links["next"]["url"]).json()["tags"]
    assert [each["name"] for each in rest] == ["v2"]


@pytest.mark.parametrize("path", ["nothing/here", "nothing/here/_tags", "nothing/here/_manifests"])
def test_an_unknown_repository_is_told(lab: LiveGateway, path: str) -> None:
    """In the registry's words for it."""
    with lab.client("reader") as client:
        answer = client.get(f"/acr/v1/{path}")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "NAME_UNKNOWN")
