"""Tables of contents of zstd:chunked and eStargz layers: true ones agree with the tar, every lie is found."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from policy.inspection.archive.zstandard import zstd
from policy.inspection.budgets import Budgets
from policy.inspection.layer.contents_table import ContentsTable
from tests.corpus.builders import Layer, inspect, layer
from tests.corpus.lazy_layers import CHECKSUM, Table, estargz, sha256, zstd_chunked
from tests.corpus.tarballs import (
    Entry,
    device,
    file,
    folder,
    hard_link,
    link,
    opaque,
    pax,
    pax_record,
    program,
    whiteout,
)

CONTENT = bytes(range(256)) * 12
MEMBERS = [
    folder("usr"),
    program("usr/python", CONTENT),
    hard_link("usr/python3", "usr/python").but(mode=0o755),
    link("python", "usr/python"),
    device("null").but(change={329: b"0000001\0", 337: b"0000003\0"}),
    file("empty"),
    whiteout("gone"),
    opaque("usr"),
    pax(pax_record(b"SCHILY.xattr.user.mark", b"1")),
    file("marked", b"x"),
]
FORMS: dict[str, Callable[..., Layer]] = {
    "zstd:chunked": zstd_chunked,
    "zstd:chunked, old footer": lambda *given, **more: zstd_chunked(*given, form=40, **more),
    "zstd:chunked, many chunks": lambda *given, **more: zstd_chunked(*given, chunk=1000, **more),
    "eStargz": estargz,
    "eStargz, many chunks": lambda *given, **more: estargz(*given, chunk=1000, **more),
    "legacy stargz": lambda *given, **more: estargz(*given, form=47, **more),
}
Make = Callable[..., Layer]
every_form = pytest.mark.parametrize("make", FORMS.values(), ids=FORMS.keys())
both_kinds = pytest.mark.parametrize("make", [zstd_chunked, estargz], ids=["zstd:chunked", "eStargz"])


def table_of(made: Layer, budgets: Budgets | None = None) -> ContentsTable:
    """The table that was found; the layer itself is whole."""
    found = inspect(made, budgets)
    assert found.problem is None
    assert found.diff_id == made.diff_id
    assert found.contents_table is not None
    return found.contents_table


def of(table: Table, name: str) -> dict[str, Any]:
    """The first entry of a name."""
    return next(entry for entry in table if entry["name"] == name)


def changed(path: str, /, **members: Any) -> Callable[[Table], None]:
    """A lie: members of one entry replaced; `None` takes one away."""

    def lie(table: Table) -> None:
        entry = of(table, path)
        entry.update(members)
        for key in [key for key, value in members.items() if value is None]:
            del entry[key]

    return lie


def swapped(one: str, other: str) -> Callable[[Table], None]:
    """A lie: two entries in each other's place."""

    def lie(table: Table) -> None:
        first, second = (table.index(of(table, name)) for name in (one, other))
        table[first], table[second] = table[second], table[first]

    return lie


def content_of_another(table: Table) -> None:
    """A lie that every digest fits: one file's content is another's, which the layer has too."""
    taken = {key: of(table, "marked")[key] for key in ("size", "digest", "chunkDigest", "chunkSize", "offset")}
    of(table, "usr/python").update(taken)


LIES: dict[str, tuple[Callable[[Table], object], str]] = {
    "name": (changed("usr/python", name="usr/perl"), "usr/python"),
    "name that climbs": (changed("usr/python", name="usr/../usr/python"), "climbs"),
    "type": (changed("python", type="reg"), "another type"),
    "unknown type": (changed("python", type="whatever"), "another type"),
    "mode": (changed("usr/python", mode=0o644), "another mode"),
    "set-user-id": (changed("usr/python", mode=0o4755), "another mode"),
    "owner": (changed("usr/python", uid=1), "another owner"),
    "group": (changed("usr/python", gid=1), "another owner"),
    "size": (changed("usr/python", size=1), "another size"),
    "target of a symbolic link": (changed("python", linkName="usr/perl"), "another link target"),
    "target of a hard link": (changed("usr/python3", linkName="marked"), "another link target"),
    "device number": (changed("null", devMinor=5), "another device number"),
    "no device number": (changed("null", devMajor=None), "another device number"),
    "extended attribute": (changed("marked", xattrs={"user.mark": "Mg=="}), "other extended attributes"),
    "one attribute more": (changed("usr/", xattrs={"trusted.overlay.opaque": "eQ=="}), "other extended attributes"),
    "no attribute": (changed("marked", xattrs=None), "other extended attributes"),
    "digest": (changed("usr/python", digest="sha256:" + "0" * 64), "another digest"),
    "no digest": (changed("usr/python", digest=None), "another digest"),
    "digest of nothing": (changed("empty", digest="sha256:" + "0" * 64), "content"),
    "digest of a directory": (changed("usr/", digest="sha256:" + "0" * 64), "digest"),
    "chunk's digest": (changed("usr/python", chunkDigest="sha256:" + "0" * 64), "a chunk of its content"),
    "place": (changed("usr/python", offset=0), "byte 0 of the layer"),
    "place inside a frame": (changed("usr/python", innerOffset=3), "middle of a frame"),
    "place of nothing": (changed("empty", offset=70), "content to what has none"),
    "content of another": (content_of_another, "another size"),
    "zeros": (changed("usr/python", chunkType="zeros"), "zeros"),
    "unknown chunks": (changed("usr/python", chunkType="holes"), "unknown type"),
    "chunk out of order": (changed("usr/python", chunkOffset=1), "in order"),
    "chunk too long": (changed("usr/python", chunkSize=len(CONTENT) + 1), "in order"),
    "one entry less": (lambda table: table.remove(of(table, "python")), "in its place"),
    "last entry less": (lambda table: table.pop(), "does not list it"),
    "one entry more": (lambda table: table.append({"name": "bin/conda", "type": "symlink"}), "bin/conda"),
    "another order": (swapped("python", "empty"), "in its place"),
    "an entry twice": (lambda table: table.append(of(table, "marked")), "marked"),
    "a chunk alone": (lambda table: table.insert(0, {"name": "usr", "type": "chunk"}), "in its place"),
    "a chunk of another": (lambda table: table.append({"name": "usr", "type": "chunk"}), "follows it"),
    "member in another case": (changed("usr/python", Mode=0o644), "'Mode'"),
    "unknown member": (changed("usr/python", redirect="usr/perl"), "'redirect'"),
    "member of another kind": (changed("usr/python", mode="0755"), "'mode'"),
    "negative number": (changed("usr/python", uid=-1), "'uid'"),
    "null": (lambda table: of(table, "usr/python").update(mode=None), "'mode'"),
    "half a character": (changed("usr/python", name="\ud800"), "surrogate"),
}


@every_form
def test_a_true_table_agrees(make: Make) -> None:
    """Every kind of member, in every form that writers make."""
    assert table_of(make(MEMBERS)).disagreement == ""


@every_form
def test_an_empty_layer_agrees(make: Make) -> None:
    """A table may have nothing to list."""
    assert table_of(make([])).disagreement == ""


@pytest.mark.parametrize(("lie", "said"), LIES.values(), ids=LIES.keys())
@both_kinds
def test_a_lie_is_found(make: Make, lie: Callable[[Table], object], said: str) -> None:
    """Whatever the table says otherwise than the tar is told."""
    assert said in table_of(make(MEMBERS, lie)).disagreement


@both_kinds
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda chunks: chunks[1].update(chunkDigest="sha256:0"), "another digest"),
        (lambda chunks: chunks[1].pop("chunkDigest"), "another digest"),
        (lambda chunks: chunks[1].update(offset=chunks[0]["offset"]), "not where that part"),
        (lambda chunks: chunks[1].update(chunkOffset=2000), "in order"),
        (lambda chunks: chunks[1].update(name="usr"), "a chunk of 'usr'"),
        (lambda chunks: chunks[3].update(chunkSize=10, chunkDigest=sha256(CONTENT[3000:3010])), "in order"),
    ],
    ids=["digest", "no digest", "place", "order", "name", "end"],
)
def test_a_lie_about_a_chunk_is_found(make: Make, change: Callable[[Table], object], said: str) -> None:
    """Each chunk of a file is compared, not the first alone."""
    made = make(MEMBERS, lambda table: change([entry for entry in table if entry["name"] == "usr/python"]), chunk=1000)
    assert said in table_of(made).disagreement


def test_an_end_elsewhere_is_found() -> None:
    """podman reads to `endOffset`: it must be where the next frame begins."""
    made = zstd_chunked(MEMBERS, lambda table: of(table, "usr/python").update(endOffset=60))
    assert "byte 60 of the layer" in table_of(made).disagreement


@both_kinds
def test_a_chunk_without_a_size_goes_to_the_end(make: Make) -> None:
    """Writers leave the size of a whole file or of the last chunk out."""
    assert table_of(make(MEMBERS, changed("usr/python", chunkSize=None))).disagreement == ""


@both_kinds
def test_zeros_may_be_zeros(make: Make) -> None:
    """Holes are told in the table and stand in the tar."""
    made = make([file("zeros", bytes(5000))], changed("zeros", chunkType="zeros"))
    assert table_of(made).disagreement == ""


AMBIGUOUS: dict[str, tuple[list[Entry], str]] = {
    "a path twice": ([folder("x"), folder("./x").but(mode=0o700)], "twice"),
    "a path below a link": ([link("lib", "usr/lib"), file("lib/x", b"1")], "below 'lib'"),
    "a link above a path": ([file("lib/x", b"1"), link("lib", "usr/lib")], "something below it"),
    "a hard link to nothing": ([hard_link("x", "y")], "hard link to what the layer does not hold"),
    "a hard link to what comes later": ([hard_link("x", "y"), file("y", b"1")], "does not hold before it"),
    "a hard link of another mode": ([file("y", b"1"), hard_link("x", "y").but(mode=0o755)], "another mode"),
    "deleted and there": ([whiteout("a/x"), file("a/x", b"1")], "has it and deletes it"),
    "deleted with all below": ([whiteout("a/x"), file("a/x/y", b"1")], "has it and deletes it"),
    "data of aufs": ([file(".wh..wh.aufs")], "of old"),
    "climbing": ([file("a/../x")], "climbs"),
}


@pytest.mark.parametrize(("members", "said"), AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
@both_kinds
def test_what_readers_of_a_table_take_differently_never_agrees(make: Make, members: list[Entry], said: str) -> None:
    """The table is word for word the tar, but looking paths up is not unpacking in order."""
    found = inspect(make(members))
    assert said in (found.problem.message if found.problem else table_of(make(members)).disagreement)


DAMAGED: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"\x1f\x8b", "UTF-8"),
    "nothing": (b" ", "not the JSON"),
    "not an object": (b"[]", "no '{'"),
    "cut": (b'{"version": 1, "entries": [{"name": "x"', "every reader"),
    "goes on": (b'{"version": 1, "entries": []} {}', "goes on"),
    "no version": (b'{"entries": []}', "version"),
    "another version": (b'{"version": 2, "entries": []}', "only version 1"),
    "a version that is text": (b'{"version": "1", "entries": []}', "only version 1"),
    "entries twice": (b'{"version": 1, "entries": [], "entries": []}', "twice"),
    "entries in another case": (b'{"version": 1, "Entries": []}', "'Entries'"),
    "entries of no list": (b'{"version": 1, "entries": {}}', "not a list"),
    "an entry of no object": (b'{"version": 1, "entries": [1]}', "not an object"),
    "a member twice": (b'{"version": 1, "entries": [{"name": "x", "name": "y"}]}', "every reader"),
    "a member without a name": (b'{"version": 1, "entries": [{"": "x"}]}', "''"),
    "a fraction": (b'{"version": 1, "entries": [{"mode": 1.0}]}', "every reader"),
    "no number": (b'{"version": 1, "entries": [{"mode": NaN}]}', "every reader"),
    "a huge number": (b'{"version": 1, "entries": [{"mode": ' + b"9" * 5000 + b"}]}", "every reader"),
    "deep": (b'{"version": 1, "entries": ' + b"[" * 100_000, "every reader"),
    "a name that is no text": (b"{[]: 1}", "member"),
    "not base64": (b'{"version": 1, "entries": [{"name": "x", "xattrs": {"a": "?"}}]}', "base64"),
    "a byte order mark": (b'\xef\xbb\xbf{"version": 1, "entries": []}', "no '{'"),
}


@pytest.mark.parametrize(("text", "said"), DAMAGED.values(), ids=DAMAGED.keys())
@both_kinds
def test_a_damaged_table_does_not_agree(make: Make, text: bytes, said: str) -> None:
    """What is not JSON that all read alike is no table, and no crash."""
    assert said in table_of(make([file("x", b"1")], text=text)).disagreement


@both_kinds
def test_a_table_over_budget_does_not_agree(make: Make) -> None:
    """The budget holds for the table's JSON."""
    table = table_of(make([file(f"x{number}") for number in range(100)]), Budgets(contents_table_bytes=1000))
    assert "1000 bytes" in table.disagreement


def test_a_table_that_grows_without_end_is_not_unpacked() -> None:
    """A small packed table of huge JSON stops at the budget."""
    made = zstd_chunked([], text=b'{"version": 1, "entries": []}' + b" " * 5_000_000)
    assert "larger than" in table_of(made, Budgets(contents_table_bytes=1_000_000)).disagreement


@both_kinds
def test_names_of_other_scripts_agree(make: Make) -> None:
    """Names are compared as the bytes they are."""
    made = make([file("기계/학습", b"1"), file("\N{REPLACEMENT CHARACTER}", b"2")])
    assert table_of(made).disagreement == ""


@both_kinds
def test_a_name_that_is_no_text_does_not_agree(make: Make) -> None:
    """Readers would make U+FFFD of it: another name than the tar's."""
    made = make([file(b"\xff", b"1")])
    assert "in its place" in table_of(made).disagreement


def test_an_ordinary_layer_has_no_table() -> None:
    """Nothing is read twice where nothing is claimed."""
    assert inspect(layer(*MEMBERS)).contents_table is None


def test_what_was_found_is_kept() -> None:
    """The stored form tells the table's name and place."""
    made = zstd_chunked(MEMBERS)
    table = table_of(made)
    packed = made.blob[table.offset : table.offset + table.length]
    named = sha256(packed), sha256(zstd.decompress(packed))
    assert table == ContentsTable("zstd:chunked", "", table.offset, len(packed), table.unpacked, *named)
    assert made.annotations[CHECKSUM] == named[0]


def test_ten_times_the_members_cost_ten_times_the_calls() -> None:
    """Comparing is linear: calls of functions, not seconds, so that no other load counts."""
    few, many = (calls(flat(members)) for members in (100, 1000))
    assert many < 11 * few


def flat(members: int) -> Layer:
    """A layer of so many small files in one directory."""
    return zstd_chunked([file(f"d/{number}", b"1") for number in range(members)])


def calls(made: Layer) -> int:
    """How many functions are called to look into a layer."""
    counted = 0

    def count(_frame: object, event: str, _what: object) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        inspect(made)
    finally:
        sys.setprofile(None)
    return counted
