"""Looking paths up in a root: links, circles, depth and what hides what."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from policy.inspection.image.ambiguous_links import roots
from policy.inspection.image.merged_root import MergedRoot, RootUnclear
from tests.corpus.tarballs import (
    Entry,
    file,
    folder,
    hard_link,
    link,
    opaque,
    whiteout,
)
from tests.policy.inspection.layer_stacks import inspected


def root(*layers: list[Entry]) -> MergedRoot:
    """The first reading of these layers."""
    return roots(inspected(layers))[0]


def test_forty_links_are_followed_and_no_more() -> None:
    """As in Linux, a longer chain leads nowhere."""
    chain = [link(f"l{number}", f"l{number + 1}") for number in range(45)]
    made = root([*chain, file("l45", "x")])
    assert made.find(b"l5") is not None
    assert made.find(b"l4") is None


def test_links_stop_at_the_root() -> None:
    """`..` above the root stays there, and never leaves the image."""
    made = root([link("a/b/up", "../../../../../etc/x"), file("etc/x", "1")])
    node = made.find(b"a/b/up")
    assert node is not None
    assert node.path == b"etc/x"


@pytest.mark.parametrize("target", ["self", "./self", "/self/x", "self/../self"])
def test_circles_lead_nowhere(target: str) -> None:
    """A link to itself is absent, not an endless loop."""
    assert root([link("self", target)]).find(b"self") is None


def test_path_through_a_file_leads_nowhere() -> None:
    """Only directories have something below them."""
    assert root([file("a", "x")]).find(b"a/b") is None
    assert root([file("a", "x")]).find(b"a/..") is None


def test_deep_paths_need_no_recursion() -> None:
    """Five hundred directories deep is looked up like any other."""
    deep = "/".join(["d"] * 500)
    made = root([Entry(f"{deep}/f", body=b"1", form="pax")], [file("x")])
    assert made.find(f"{deep}/f".encode()) is not None


def test_chain_of_hard_links_through_layers_ends() -> None:
    """Hard links from layer to layer are followed to the file."""
    layers = [[file("f0", "1")], *([hard_link(f"f{number + 1}", f"f{number}")] for number in range(30))]
    node = root(*layers).node_at(b"f30")
    assert node is not None
    assert node.index == 0


def test_hard_links_in_a_circle_are_unclear() -> None:
    """Two that name one another stand for nothing."""
    with pytest.raises(RootUnclear, match="hard link"):
        root([hard_link("a", "b"), hard_link("b", "a")])


@pytest.mark.parametrize(
    ("layers", "hidden"),
    [
        ([[whiteout("d/f")]], 1),
        ([[], [whiteout("d")]], 2),
        ([[opaque("d")]], 1),
        ([[opaque("")]], -1),
        ([[file("d", "x")], [folder("d")]], 1),
        ([[file("d/f", "new")]], 1),
        ([[link("d", "e")]], 1),
        ([[folder("d"), file("d/g")]], -1),
    ],
)
def test_the_first_layer_that_hides_is_named(layers: list[list[Entry]], hidden: int) -> None:
    """Deleted, emptied, replaced, or replaced above: the oldest of the newer layers that did it."""
    made = root([file("d/f", "old")], *layers)
    assert made.hidden_by(0, b"d/f") == hidden
    assert made.shows(0, b"d/f") == (hidden == -1)


def calls(work: Callable[[], object]) -> int:
    """How many functions are called meanwhile."""
    count = 0

    def seen(_frame: FrameType, event: str, _what: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_the_work_for_layers_grows_as_they_do() -> None:
    """Twice as many without anything in common are twice the work."""
    few, many = (inspected([[file("d/x")]] * count) for count in (200, 400))
    assert calls(lambda: roots(many)) < 3 * calls(lambda: roots(few))
