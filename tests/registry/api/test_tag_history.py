"""`_oci/tag-history` over HTTP: form, pages, filters, and what is no history."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.repository import Repository
from tests.servers import LiveRegistry

PATH = "/v2/team/app/_oci/tag-history/v1"
LAYERS = (b"one", b"two", b"three")


@pytest.fixture
def client(live: LiveRegistry) -> Iterator[httpx.Client]:
    """Of a registry in which a tag has moved twice and was deleted."""
    with live.client() as opened:
        repository = Repository(opened, "team/app")
        for layer in LAYERS:
            repository.image("v1", repository.blob(layer))
        opened.delete("/v2/team/app/manifests/v1").raise_for_status()
        yield opened


def entries(client: httpx.Client, **params: Any) -> list[dict[str, Any]]:
    """The entries of an answer."""
    answer = client.get(PATH, params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["manifests"]
    return found


def event_of(entry: dict[str, Any]) -> str:
    """What an entry says happened."""
    return str(entry["annotations"]["org.opencontainers.distribution.tag.event"])


def time_of(entry: dict[str, Any]) -> str:
    """When."""
    return str(entry["annotations"]["org.opencontainers.distribution.tag.timestamp"])


def test_history_is_an_index_with_the_newest_first(client: httpx.Client) -> None:
    """Descriptors with their times; it survives the deletion of the tag."""
    answer = client.get(PATH)
    assert answer.headers["content-type"] == "application/vnd.oci.image.index.v1+json"
    found = answer.json()["manifests"]
    assert [event_of(each) for each in found] == ["deleted", "created", "created", "created"]
    assert found[0]["digest"] == found[1]["digest"] != found[2]["digest"]
    assert all(each["size"] == len(client.get(f"/v2/team/app/manifests/{each['digest']}").content) for each in found)
    assert found[1]["annotations"]["org.opencontainers.distribution.tag.created"] == time_of(found[1])


def test_pages_follow_their_links(client: httpx.Client) -> None:
    """Until there is none; together they are the whole."""
    found, path = [], f"{PATH}?n=1"
    while path:
        answer = client.get(path)
        found += answer.json()["manifests"]
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert found == entries(client)


def test_pages_may_go_by_time(client: httpx.Client) -> None:
    """What is strictly older, or strictly younger, than a time that was told."""
    found = entries(client)
    assert entries(client, before=time_of(found[1])) == found[2:]
    assert entries(client, since=time_of(found[1])) == found[:1]
    assert entries(client, since=time_of(found[3]), before=time_of(found[1])) == found[2:3]


def test_history_may_be_that_of_one_manifest(client: httpx.Client) -> None:
    """When it was set, and when it was deleted; of one that the tag has not had, nothing."""
    found = entries(client)
    assert entries(client, digest=found[0]["digest"]) == found[:2]
    assert entries(client, digest="sha256:" + "0" * 64) == []


def test_nothing_may_be_asked_for(client: httpx.Client) -> None:
    """`n=0` says only that there is history."""
    answer = client.get(PATH, params={"n": 0})
    assert (answer.status_code, answer.json()["manifests"], "link" in answer.headers) == (200, [], False)


@pytest.mark.parametrize("path", [PATH.replace("v1", "v2"), PATH.replace("app", "no"), PATH.replace("v1", "-")])
def test_what_has_no_history_is_not_there(client: httpx.Client, path: str) -> None:
    """404 for a tag that has never been, in a repository or without one."""
    assert client.get(path).json()["errors"][0]["code"] == "MANIFEST_UNKNOWN"


@pytest.mark.parametrize(
    "params", [{"before": "now"}, {"since": "2026-01-01"}, {"last": "x"}, {"digest": "x"}, {"n": "x"}]
)
def test_what_is_no_question_is_refused(client: httpx.Client, params: dict[str, str]) -> None:
    """400, with what is needed."""
    assert client.get(PATH, params=params).status_code == 400


@pytest.mark.parametrize("path", ["/v2/_oci/ext/discover", "/v2/team/app/_oci/ext/discover"])
def test_the_extension_can_be_found(client: httpx.Client, path: str) -> None:
    """Of the registry and of a repository."""
    extensions = client.get(path).json()["extensions"]
    assert extensions[0]["name"] == "_oci"
    assert "_oci/tag-history" in extensions[0]["endpoints"]
