"""The uncompressed stream comes in bounded pieces, whatever the compression and however the source is cut."""

import io
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.inspection.archive.compression import OUTPUT_PIECE, Meter, uncompressed
from policy.inspection.budgets import Budgets, LayerRefused
from tests.corpus.builders import gzipped, plain, zstandard

TEXT = b"".join(b"%d\n" % number for number in range(40_000))


class Dribble:
    """A source that gives as many bytes at a time as it is told."""

    def __init__(self, raw: bytes, sizes: list[int]) -> None:
        self._stream = io.BytesIO(raw)
        self._sizes = sizes

    def read(self, size: int, /) -> bytes:
        """The next few bytes."""
        wanted = self._sizes.pop() if self._sizes else size
        return self._stream.read(min(size, wanted))


@pytest.mark.parametrize("pack", [gzipped, zstandard, plain])
def test_pieces_are_bounded(pack: Callable[[bytes], bytes]) -> None:
    """Ten million zeros come out in pieces of at most one MiB."""
    meter = Meter(Budgets())
    sizes = [len(piece) for piece in uncompressed(io.BytesIO(pack(bytes(10_000_000))), meter)]
    assert max(sizes) <= OUTPUT_PIECE
    assert sum(sizes) == meter.uncompressed == 10_000_000


@pytest.mark.parametrize(("pack", "name"), [(gzipped, "gzip"), (zstandard, "zstd"), (plain, "none")])
def test_compression_is_told_from_the_first_bytes(pack: Callable[[bytes], bytes], name: str) -> None:
    """The meter says which it was, and how many bytes went in."""
    meter = Meter(Budgets())
    blob = pack(TEXT)
    assert b"".join(uncompressed(io.BytesIO(blob), meter)) == TEXT
    assert (meter.compression, meter.compressed) == (name, len(blob))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40), max_size=60), st.sampled_from([gzipped, zstandard, plain]))
def test_cuts_in_the_source_do_not_matter(sizes: list[int], pack: Callable[[bytes], bytes]) -> None:
    """Members, frames and padding may be cut anywhere."""
    blob = pack(TEXT[:500]) + pack(TEXT[500:900]) + (bytes(9) if pack is gzipped else b"")
    found = b"".join(uncompressed(Dribble(blob, sizes), Meter(Budgets())))
    assert found == TEXT[:900]


@settings(max_examples=80, deadline=None)
@given(st.data(), st.sampled_from([gzipped, zstandard]))
def test_every_early_end_is_noticed(data: st.DataObject, pack: Callable[[bytes], bytes]) -> None:
    """A stream cut anywhere behind its first bytes is refused."""
    blob = pack(TEXT)
    size = data.draw(st.integers(4, len(blob) - 1))
    with pytest.raises(LayerRefused, match="ends before"):
        list(uncompressed(io.BytesIO(blob[:size]), Meter(Budgets())))


def test_budget_stops_the_stream_early() -> None:
    """No more than one piece beyond the budget is ever made."""
    meter = Meter(Budgets(uncompressed_bytes=3_000_000))
    with pytest.raises(LayerRefused, match="larger than 3000000 bytes"):
        list(uncompressed(io.BytesIO(gzipped(bytes(100_000_000))), meter))
    assert meter.uncompressed <= 3_000_000 + OUTPUT_PIECE
