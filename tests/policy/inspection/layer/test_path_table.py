"""The structural index: what goes in comes out, at any size."""

from hypothesis import given, settings
from hypothesis import strategies as st

from policy.inspection.layer.path_table import OpenTable, Table

names = st.binary(min_size=0, max_size=12).filter(lambda name: b"\0" not in name)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(names, names.filter(bool), min_size=1, max_size=40))
def test_every_entry_is_found_again(entries: dict[bytes, bytes]) -> None:
    """Through the stored form, by iteration and by lookup."""
    table = Table.from_bytes(Table.of(entries).to_bytes())
    opened = OpenTable(table)
    assert dict(table) == entries
    assert {path: opened.get(path) for path in entries} == entries


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(names, names.filter(bool), max_size=20), names)
def test_other_paths_are_not_found(entries: dict[bytes, bytes], other: bytes) -> None:
    """A path without an entry gives none."""
    assert OpenTable(Table.of(entries)).get(other) == entries.get(other)


def test_many_blocks() -> None:
    """Thousands of paths, in order, each found in its block."""
    entries = {b"usr/share/%05d" % number: b"f%d" % number for number in range(5000)}
    table = Table.of(dict(reversed(entries.items())))
    assert list(table) == sorted(entries.items())
    assert OpenTable(table).get(b"usr/share/04999") == b"f4999"
