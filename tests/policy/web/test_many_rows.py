"""Lists of a registry that holds more than a page: bounded, in order, and each name on one page."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.stock import LARGE, REFERRERS, Stock, fill
from tests.policy.live import LiveGateway, live_gateway

STOCK = Stock(repositories=120, tags=600)
LARGEST = 60_000


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A server over 120 repositories, one of them with 300 tags."""
    folder: Path = tmp_path_factory.mktemp("many")
    fill(folder / "data", STOCK)
    with live_gateway(folder / "data") as gateway:
        yield gateway


def walked(gateway: LiveGateway, path: str, member: str, word: str, asked: str = "after") -> list[str]:
    """What all pages of a list name, in order; `asked`: the parameter that goes on."""
    names: list[str] = []
    after = ""
    with gateway.client("reader") as client:
        while True:
            document = client.get(path, params={asked: after}).json()
            names += [row[word] for row in document[member]]
            after = document["next" if asked == "after" else f"next_{asked}"]
            if not after:
                return names


def test_the_catalog_goes_on(live: LiveGateway) -> None:
    """Each repository once, in the order of names."""
    names = walked(live, "/index.json", "repositories", "name")
    assert names == sorted(set(names))
    assert len(names) == STOCK.repositories


def test_tags_go_on(live: LiveGateway) -> None:
    """Each tag once."""
    names = walked(live, f"/r/{LARGE}.json", "tags", "tag")
    assert names == sorted(set(names))
    assert len(names) >= STOCK.large_tags


def test_untagged_content_goes_on(live: LiveGateway) -> None:
    """Each manifest once, the thousand that refer to one image among them."""
    names = walked(live, f"/r/{LARGE}.json", "untagged", "digest", "untagged")
    assert names == sorted(set(names))
    assert len(names) >= REFERRERS


def test_history_goes_on(live: LiveGateway) -> None:
    """Each change of a tag once, the latest first."""
    raw = b'{"schemaVersion":2,"manifests":[],"mediaType":"application/vnd.oci.image.index.v1+json"}'
    headers, tags = {"Content-Type": "application/vnd.oci.image.index.v1+json"}, [f"t{at:03}" for at in range(120)]
    with live.client("admin") as client:
        for tag in tags:
            client.put(f"/v2/new/app/manifests/{tag}", content=raw, headers=headers).raise_for_status()
    assert walked(live, "/r/new/app.json", "history", "tag", "history") == tags[::-1]


@pytest.mark.parametrize("path", ["/", "/?q=app", f"/r/{LARGE}", "/activity", "/search?where=os.name%3Dubuntu"])
def test_a_page_stays_small(live: LiveGateway, path: str) -> None:
    """Fifty rows are at most 60 KB."""
    with live.client("reader") as client:
        page = client.get(path)
    assert page.status_code == 200
    assert len(page.content) <= LARGEST
