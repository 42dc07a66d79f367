"""Lists of tags and repositories: order, pages, visibility."""

import pytest

from registry.content.page import Page
from registry.oci.errors import NameUnknown
from registry.oci.names import RepositoryName, Tag
from tests.registry.open_services import OTHER, REPOSITORY, OpenServices

TAGS = ["B", "a", "0", "_x", "v1.10", "v1.9", "v2"]


@pytest.fixture
def tagged(services: OpenServices) -> OpenServices:
    """A repository with a handful of tags."""
    for tag in TAGS:
        services.run(services.push_image(Tag(tag)))
    return services


@pytest.fixture
def catalogued(services: OpenServices) -> OpenServices:
    """Thirty repositories."""
    for number in range(30):
        services.run(services.push_blob(b"x", RepositoryName(f"team{number % 3}/app{number:02}")))
    return services


def tags(services: OpenServices, n: int | None, last: str = "") -> Page[Tag]:
    """A page of tags."""
    return services.run(services.tags.page(REPOSITORY, n, last))


def anything(_name: RepositoryName) -> bool:
    """The caller sees all."""
    return True


def only_team1(name: RepositoryName) -> bool:
    """The caller sees one team's repositories."""
    return name.startswith("team1/")


def test_tags_are_in_the_order_of_their_bytes(tagged: OpenServices) -> None:
    """Digits, upper case, underscore, lower case."""
    assert list(tags(tagged, None).items) == sorted(TAGS)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_pages_of_tags_make_up_the_list(tagged: OpenServices, size: int) -> None:
    """Each tag once; only the last page says that it is the last."""
    found: list[str] = []
    page = tags(tagged, size)
    while page.more:
        assert len(page.items) == size
        found += page.items
        page = tags(tagged, size, page.items[-1])
    assert found + list(page.items) == sorted(TAGS)


def test_last_need_not_be_a_tag(tagged: OpenServices) -> None:
    """The page begins behind where it would stand."""
    assert tags(tagged, 2, "v1").items == ("v1.10", "v1.9")


def test_no_tags_asked_for_are_none(tagged: OpenServices) -> None:
    """n=0 is an empty page without a next one."""
    assert tags(tagged, 0) == Page((), more=False)


def test_a_page_has_a_largest_size(tagged: OpenServices) -> None:
    """A larger n is clipped, and the page says that there is more."""
    tagged.configure(limits={"tags_page": 3})
    assert [len(tags(tagged, n).items) for n in (None, 100)] == [3, 3]
    assert tags(tagged, 100).more


def test_a_repository_without_tags_has_an_empty_list(services: OpenServices) -> None:
    """It exists: it holds a blob."""
    services.run(services.push_blob(b"x"))
    assert tags(services, None) == Page((), more=False)


def test_tags_of_an_unknown_repository_are_an_error(services: OpenServices) -> None:
    """And not an empty list."""
    with pytest.raises(NameUnknown):
        services.run(services.tags.page(OTHER, None, ""))


def test_the_catalog_is_in_order(catalogued: OpenServices) -> None:
    """All repositories, by their bytes."""
    page = catalogued.run(catalogued.catalog.page(anything, None, ""))
    assert list(page.items) == sorted(f"team{number % 3}/app{number:02}" for number in range(30))


@pytest.mark.parametrize("size", [1, 4, 10, 11])
def test_pages_of_the_catalog_hold_what_the_caller_sees(catalogued: OpenServices, size: int) -> None:
    """What is hidden neither shows nor shortens a page."""
    found: list[str] = []
    page = catalogued.run(catalogued.catalog.page(only_team1, size, ""))
    while page.more:
        assert len(page.items) == size
        found += page.items
        page = catalogued.run(catalogued.catalog.page(only_team1, size, page.items[-1]))
    assert found + list(page.items) == sorted(f"team1/app{number:02}" for number in range(1, 30, 3))


@pytest.mark.parametrize(
    "patterns", [["team1/*"], ["team1/app0*", "team1/app*"], ["*"], ["team1/app01", "team?/*"], ["team2/x", "team1/*"]]
)
def test_patterns_narrow_the_look_not_the_answer(catalogued: OpenServices, patterns: list[str]) -> None:
    """What matches one of them is found, whichever they are."""
    page = catalogued.run(catalogued.catalog.page(only_team1, 100, "team1/app01", patterns))
    assert list(page.items) == sorted(f"team1/app{number:02}" for number in range(4, 30, 3))


def test_no_patterns_show_nothing(catalogued: OpenServices) -> None:
    """A caller without repositories sees none; one with an exact name sees that."""
    pages = [catalogued.run(catalogued.catalog.page(anything, 10, "", patterns)) for patterns in ([], ["team1/app01"])]
    assert [page.items for page in pages] == [(), ("team1/app01",)]


def test_the_catalog_clips_a_large_page(catalogued: OpenServices) -> None:
    """There is a default and a largest size."""
    catalogued.configure(limits={"catalog_page": 5, "catalog_page_maximum": 7})
    sizes = [len(catalogued.run(catalogued.catalog.page(anything, n, "")).items) for n in (None, 6, 100, 0)]
    assert sizes == [5, 6, 7, 0]
