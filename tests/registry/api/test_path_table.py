"""Paths are found from the right exactly as Starlette's router would find them, or left to it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Match, Route

from registry.api import path_parameters
from registry.api.path_table import Paths
from registry.api.routes import TABLE, Row
from registry.oci.errors import OciError

WORDS = (
    "v2",
    "a",
    "A",
    "b-c",
    "blobs",
    "uploads",
    "manifests",
    "tags",
    "list",
    "referrers",
    "_catalog",
    "",
    "\n",
    "a\n",
)
PATHS = Paths({row.path: row.path for row in TABLE})


async def _nothing(*_arguments: Any) -> None:
    """Stand for a handler."""


def _routed(path: str) -> list[tuple[str, dict[str, Any]]]:
    """Every path of the table that the router would take this one for, up to the first refusal of a name."""
    path_parameters.register()
    found = []
    for template in dict.fromkeys(row.path for row in TABLE):
        route = Route(template, _nothing, methods=["GET"])
        try:
            match, scope = route.matches({"type": "http", "method": "GET", "path": path})
        except OciError:
            break
        if match is not Match.NONE:
            found.append((template, scope["path_params"]))
    return found


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=7))
def test_what_is_found_is_what_the_router_finds(words: list[str]) -> None:
    """The same place and the same parameters, whatever words the name itself holds."""
    path = "/" + "/".join(words)
    found = PATHS.find(path)
    assert found is None or found in _routed(path)


@pytest.mark.parametrize("template", sorted({row.path for row in TABLE}))
@pytest.mark.parametrize("name", ["a", "team/app", "blobs/uploads", "tags/list/manifests"])
def test_every_path_of_the_table_is_found(template: str, name: str) -> None:
    """Also where the repository's name is made of the words that follow it."""
    path = template.replace("{name:repository}", name).replace("{digest}", "sha256:0")
    found = PATHS.find(path.replace("{reference}", "v1").replace("{upload}", "id"))
    assert found is not None
    assert (found[0], found[1].get("name", name)) == (template, name)


@pytest.mark.parametrize(
    "path", ["/v2/A/tags/list", "/v2//tags/list", "/v2/tags/list", "/v2/a/manifests/", "/v3/a/tags/list", "/x", ""]
)
def test_what_is_not_certain_is_not_found(path: str) -> None:
    """Invalid names get their error, and other paths their 404, from the router's side."""
    assert PATHS.find(path) is None


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.path)
def test_a_path_that_offers_get_offers_head(row: Row) -> None:
    """Starlette lets a HEAD through wherever there is a GET: without a row for it, it would be a fault."""
    assert "GET" not in row.methods.split() or "HEAD" in row.methods.split()
