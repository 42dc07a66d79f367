"""`n`, `last` and Link."""

import pytest
from starlette.requests import Request

from registry.api.paging import asked_size, next_link, page_size
from registry.oci.errors import BadRequest


def _request(query: str) -> Request:
    return Request({"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": query.encode()})


@pytest.mark.parametrize(("query", "size"), [("", 100), ("n=", 100), ("n=0", 0), ("n=7", 7), ("n=99999999999", 1000)])
def test_size_has_a_default_and_a_maximum(query: str, size: int) -> None:
    """Absent: the default; too large: clipped, the Link leads on."""
    assert page_size(_request(query), 100, 1000) == size


@pytest.mark.parametrize("query", ["n=-1", "n=x", "n=1.5", "n=%D9%A3", "n=1e3", "n=" + "9" * 40])
def test_bad_size_is_refused(query: str) -> None:
    """400 for what is not a whole number of ASCII digits."""
    with pytest.raises(BadRequest):
        asked_size(_request(query))


def test_link_is_a_path_with_an_encoded_query() -> None:
    """skopeo takes path and query; `last` may hold slashes; an empty filter is not repeated."""
    assert next_link("/v2/_catalog", "a/b", 2) == {"Link": '</v2/_catalog?last=a%2Fb&n=2>; rel="next"'}


def test_link_keeps_filters() -> None:
    """The next page of a filtered list is filtered alike."""
    link = next_link("/v2/a/referrers/sha256:0", "x", None, {"artifactType": "a/b+c"})["Link"]
    assert link == '</v2/a/referrers/sha256:0?last=x&artifactType=a%2Fb%2Bc>; rel="next"'
