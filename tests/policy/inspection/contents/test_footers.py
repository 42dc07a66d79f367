"""Where a layer's table of contents is looked for: every form of a footer, and places that are not the layer's own."""

import gzip
import struct

import pytest

from policy.inspection.archive.zstandard import zstd
from policy.inspection.layer.contents_table import ContentsTable
from tests.corpus.builders import (
    GZIP,
    TAR,
    ZSTD,
    Layer,
    blob_layer,
    inspect,
)
from tests.corpus.lazy_layers import (
    as_table,
    estargz,
    skippable,
    stargz_footer,
    zstd_chunked,
    zstd_footer,
)
from tests.corpus.tarballs import file, tar

MEMBERS = [file("x", b"1" * 100)]
RAW = tar(*MEMBERS)
FALSE = as_table([{"name": "x", "type": "symlink", "linkName": "y"}])


def table_of(blob: bytes, media_type: str = ZSTD, raw: bytes = RAW) -> ContentsTable | None:
    """The table that was found in a blob of this tar; the layer itself is whole."""
    found = inspect(blob_layer(blob, raw, media_type))
    assert found.problem is None
    return found.contents_table


def said_of(blob: bytes, media_type: str = ZSTD, raw: bytes = RAW) -> str:
    """Why the table that was found does not agree."""
    table = table_of(blob, media_type, raw)
    assert table is not None
    return table.disagreement


def true() -> tuple[bytes, ContentsTable]:
    """A layer whose table agrees."""
    made = zstd_chunked(MEMBERS)
    table = inspect(made).contents_table
    assert table is not None
    assert table.disagreement == ""
    return made.blob, table


def test_a_footer_twice_counts_once() -> None:
    """Readers look at the end: a copy of the footer before it is a frame as any other."""
    blob, table = true()
    assert table_of(blob + blob[-72:]) == table


def test_a_footer_with_something_behind_it_is_none() -> None:
    """No reader finds it."""
    assert table_of(true()[0] + skippable(b"more")) is None


def test_a_second_table_behind_the_first_is_the_one_that_counts() -> None:
    """The footer at the very end names the table that readers read."""
    blob, _ = true()
    packed = zstd.compress(FALSE)
    lying = blob + skippable(packed) + zstd_footer(len(blob) + 8, len(packed), len(FALSE))
    assert "another type" in said_of(lying)


def test_a_table_inside_other_content_is_none_of_the_layer() -> None:
    """The footer names bytes in the middle of a frame that the tar's reader passes over as a whole."""
    blob, table = true()
    packed = blob[table.offset : table.offset + table.length]
    inside = blob[: table.offset - 8] + skippable(skippable(packed))
    lying = inside + zstd_footer(table.offset + 8, table.length, table.unpacked)
    assert "not a frame of its own" in said_of(lying)


def test_a_table_of_another_length_does_not_agree() -> None:
    """Length and unpacked length in the footer are those of the frame."""
    blob, table = true()
    shorter = zstd_footer(table.offset, table.length - 1, table.unpacked)
    longer = zstd_footer(table.offset, table.length, table.unpacked + 1)
    assert "not a frame of its own" in said_of(blob[:-72] + shorter)
    assert "longer or shorter" in said_of(blob[:-72] + longer)


@pytest.mark.parametrize("offset", [0, 7, 1 << 20, (1 << 64) - 1], ids=str)
def test_a_place_outside_of_the_layer_does_not_agree(offset: int) -> None:
    """Nor do numbers that no file has."""
    blob, table = true()
    assert "not in the layer" in said_of(blob[:-72] + zstd_footer(offset, table.length, table.unpacked))


def test_another_type_does_not_agree() -> None:
    """Only type 1 is known."""
    blob, table = true()
    numbers = struct.pack("<7Q", table.offset, table.length, table.unpacked, 2, 0, 0, 0)
    assert "type 2" in said_of(blob[:-72] + skippable(numbers + b"GNUlInUx"))


def test_a_magic_word_without_a_known_footer_does_not_agree() -> None:
    """A form that is not known here may be to somebody."""
    blob, _ = true()
    assert "none of the known forms" in said_of(blob + skippable(bytes(40) + b"GnUlInUx"))


def test_two_readings_of_one_footer_do_not_agree() -> None:
    """A footer of 40 bytes whose neighbours are a footer of 64 bytes that names another table."""
    packed = zstd.compress(FALSE)
    blob = true()[0][:-72]
    other = len(blob) + 8
    blob += skippable(packed) + skippable(struct.pack("<2Q", other, len(packed)))
    assert "another table" in said_of(blob + zstd_footer(true()[1].offset, *true_lengths(), form=40))


def true_lengths() -> tuple[int, int]:
    """Length and unpacked length of the true table."""
    table = true()[1]
    return table.length, table.unpacked


def test_tables_of_both_kinds_are_looked_for_in_any_layer() -> None:
    """An eStargz table in a frame that zstd passes over: snapshotters would read it."""
    packed = zstd.compress(RAW)
    index = gzip.compress(tar(file("stargz.index.json", FALSE)))
    hidden = skippable(index + stargz_footer(len(packed) + 8))
    assert said_of(packed + hidden)


def test_a_table_behind_a_plain_tar_does_not_agree() -> None:
    """What follows the end of a tar is no part of it, but readers of a footer find it."""
    index = gzip.compress(tar(file("stargz.index.json", FALSE)))
    blob = RAW + index + stargz_footer(len(RAW))
    assert said_of(blob, TAR, blob)


@pytest.mark.parametrize("form", [51, 47])
def test_an_index_elsewhere_in_the_tar_does_not_agree(form: int) -> None:
    """The footer must name the member that the tar ends with."""
    made = estargz(MEMBERS, form=form)
    size = len(stargz_footer(0, form))
    assert said_of(made.blob[:-size] + stargz_footer(0, form), GZIP, archive(made))


def archive(made: Layer) -> bytes:
    """The uncompressed bytes of a gzip layer."""
    return gzip.decompress(made.blob)


def test_an_index_that_is_not_the_last_member_does_not_agree() -> None:
    """What follows it would be in the tar and not in the table."""
    made = estargz(MEMBERS)
    table = inspect(made).contents_table
    assert table is not None
    later = tar(file("y", b"2"))
    index = gzip.decompress(made.blob[table.offset : -51])[:-1024]
    blob = made.blob[: table.offset] + gzip.compress(index) + gzip.compress(later) + stargz_footer(table.offset)
    assert said_of(blob, GZIP, gzip.decompress(blob))


def test_a_table_kept_elsewhere_does_not_agree() -> None:
    """A footer may say that the table is in another image: nobody can compare that."""
    extra = b"SG" + struct.pack("<H", 17) + b"STARGZEXTERNALTOC"
    footer = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + struct.pack("<H", 21) + extra + b"\x01\0\0\xff\xff" + bytes(8)
    assert "outside of the layer" in said_of(gzip.compress(RAW) + footer, GZIP)


def test_an_odd_footer_does_not_agree() -> None:
    """The magic word of eStargz in a gzip member of another form."""
    footer = bytearray(stargz_footer(10))
    footer[20:21] = b"X"
    assert "none of the known forms" in said_of(gzip.compress(RAW) + bytes(footer), GZIP)
