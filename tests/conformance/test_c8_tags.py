"""Clause c8, end-8, and the catalog: lists."""

import httpx
import pytest

from tests.repository import Repository, code_of

TAGS = ["v2", "v10", "Z", "a", "_x", "V1", "1.0", "a-b", "a.b", "a_b"]


@pytest.fixture
def tagged(repository: Repository) -> Repository:
    """A repository with ten tags on one image."""
    image = repository.image()
    for tag in TAGS:
        repository.put(tag, image.raw)
    return repository


def test_tags_are_in_ascii_order(tagged: Repository) -> None:
    """Name and tags, sorted by their bytes."""
    assert tagged.get("tags/list").json() == {"name": tagged.name, "tags": sorted(TAGS)}


def test_pages_lead_on(tagged: Repository) -> None:
    """`n` entries and a Link of path and query, until there are no more."""
    found, path = [], "/v2/" + tagged.name + "/tags/list?n=3"
    while path:
        answer = tagged.client.get(path)
        found.append(answer.json()["tags"])
        link = answer.headers.get("link", "")
        path = link.removeprefix("<").removesuffix('>; rel="next"')
    assert [len(page) for page in found] == [3, 3, 3, 1]
    assert [tag for page in found for tag in page] == sorted(TAGS)


def test_exactly_as_many_as_there_are(tagged: Repository) -> None:
    """A page that holds the last entry has no Link."""
    answer = tagged.get("tags/list", params={"n": len(TAGS)})
    assert (len(answer.json()["tags"]), "link" in answer.headers) == (len(TAGS), False)


def test_no_entries_asked(tagged: Repository) -> None:
    """n=0: an empty list and no Link."""
    answer = tagged.get("tags/list", params={"n": 0})
    assert (answer.json()["tags"], "link" in answer.headers) == ([], False)


@pytest.mark.parametrize("query", [{"last": "a"}, {"last": "a", "n": "100"}, {"last": "a+", "n": "100"}])
def test_last_is_exclusive_and_need_not_exist(tagged: Repository, query: dict[str, str]) -> None:
    """With and without `n`."""
    expected = [tag for tag in sorted(TAGS) if tag > query["last"]]
    assert tagged.get("tags/list", params=query).json()["tags"] == expected


@pytest.mark.parametrize("n", ["-1", "x", "1.5", "0x1"])
def test_bad_size(tagged: Repository, n: str) -> None:
    """400 for what is no number."""
    answer = tagged.get("tags/list", params={"n": n})
    assert (answer.status_code, code_of(answer)) == (400, "UNSUPPORTED")


def test_huge_size_is_clipped(tagged: Repository) -> None:
    """A number beyond the maximum is no error."""
    assert tagged.get("tags/list", params={"n": "1000000000"}).json()["tags"] == sorted(TAGS)


def test_no_tags_is_an_empty_list(repository: Repository) -> None:
    """[], not null, in a repository that holds content without tags."""
    repository.image()
    assert repository.get("tags/list").json() == {"name": repository.name, "tags": []}


def test_unknown_repository(repository: Repository) -> None:
    """404 NAME_UNKNOWN."""
    answer = repository.get("tags/list")
    assert (answer.status_code, code_of(answer)) == (404, "NAME_UNKNOWN")


def _catalog(client: httpx.Client, **query: str) -> httpx.Response:
    return client.get("/v2/_catalog", params=query)


def test_catalog_pages(repository: Repository) -> None:
    """Sorted names behind `last`, `n` of them, with a Link whose `last` is encoded."""
    names = [f"{repository.name}-{suffix}" for suffix in ("a", "b/c", "d")]
    for name in names:
        Repository(repository.client, name).blob(b"x")
    answer = _catalog(repository.client, n="2", last=repository.name)
    assert answer.json() == {"repositories": names[:2]}
    encoded = names[1].replace("/", "%2F")
    assert answer.headers["link"] == f'</v2/_catalog?last={encoded}&n=2>; rel="next"'


@pytest.mark.parametrize("n", ["-1", "x"])
def test_catalog_bad_size(client: httpx.Client, n: str) -> None:
    """400, as distribution does."""
    assert _catalog(client, n=n).status_code == 400
