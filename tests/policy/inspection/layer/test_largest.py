"""The largest files and directories of a layer."""

from hypothesis import given
from hypothesis import strategies as st

from policy.inspection.layer.largest import Largest, largest_of

NAMES = st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=4).map(b"/".join)


def test_the_largest_come_first() -> None:
    """Links, directories and whiteouts have no size; what is empty is not told."""
    entries = [(b"a/big", b"f300"), (b"a/x", b"x20"), (b"b", b"f100"), (b"c", b"f0"), (b"d", b"d"), (b"l", b"lbig")]
    found = largest_of(entries, 2)
    assert found == Largest(((b"a/big", 300), (b"b", 100)), ((b"a", 320),), 4, 420)


def test_a_directory_with_nothing_beside_one_other_is_not_told() -> None:
    """The one below says it."""
    found = largest_of([(b"usr/lib/python/x", b"f5"), (b"usr/lib/python/y", b"f5")], 10)
    assert found.directories == ((b"usr/lib/python", 10),)


def test_equal_ones_are_in_the_order_of_their_names() -> None:
    """The same layer gives the same list."""
    entries = [(b"b/x", b"f1"), (b"a/x", b"f1")]
    assert largest_of(entries, 1) == largest_of(entries[::-1], 1)
    assert largest_of(entries, 1).directories == ((b"a", 1),)


@given(st.dictionaries(NAMES.map(lambda name: name + b"/f"), st.integers(0, 50)))
def test_a_directory_has_all_below_it(files: dict[bytes, int]) -> None:
    """As adding up says."""
    found = largest_of([(path, b"f%d" % size) for path, size in files.items()], 100)
    for directory, size in found.directories:
        assert size == sum(each for path, each in files.items() if path.startswith(directory + b"/"))
    assert found.bytes == sum(files.values())
