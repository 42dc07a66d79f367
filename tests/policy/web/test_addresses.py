"""Every name has one page, and that page as JSON: also names that end as pages do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.web.addresses import PagePath, address, json_address, page_path_of, without_ending
from registry.oci.digest import Digest
from registry.oci.names import Reference, RepositoryName, Tag

ENDINGS = st.sampled_from(["", ".json", ".html", ".json.html", ".html.json"])
NAMES = st.builds(
    lambda name, ending: RepositoryName(name + ending),
    st.from_regex(r"[a-z]{1,4}(/[a-z]{1,4})?", fullmatch=True),
    ENDINGS,
)
TAGS = st.builds(lambda name, ending: Tag(name + ending), st.from_regex(r"[A-Za-z0-9_]{1,5}", fullmatch=True), ENDINGS)
REFERENCES: st.SearchStrategy[Reference | None] = st.one_of(st.none(), TAGS, st.just(Digest.of(b"")))


@given(NAMES, REFERENCES)
def test_an_address_leads_back_to_what_it_names(name: RepositoryName, reference: Reference | None) -> None:
    """As a page."""
    text, is_json = without_ending(address(name, reference or "").removeprefix("/r/"))
    assert (page_path_of(text), is_json) == (PagePath(name, reference), False)


@given(NAMES, REFERENCES)
def test_so_does_that_of_its_json(name: RepositoryName, reference: Reference | None) -> None:
    """With `.json` behind it."""
    text, is_json = without_ending(json_address(address(name, reference or "")).removeprefix("/r/"))
    assert (page_path_of(text), is_json) == (PagePath(name, reference), True)


@pytest.mark.parametrize(("path", "expected"), [("/", "/index.json"), ("/policies", "/policies.json")])
def test_pages_without_a_name(path: str, expected: str) -> None:
    """Have their JSON beside them."""
    assert json_address(path) == expected
