"""Broken tables of contents: never a crash, and never believed where they say something else than the tar."""

import json
import os
import posixpath
import random
from dataclasses import replace
from typing import Any

from policy.inspection.layer.contents_table import ContentsTable
from tests.corpus.builders import Layer, inspect
from tests.corpus.lazy_layers import Table, as_table, estargz, zstd_chunked
from tests.corpus.tarballs import file, folder, hard_link, link, program

CASES = int(os.environ.get("FUZZ_CASES", "3000")) // 5
SEED = int(os.environ.get("FUZZ_SEED", "20190711"))
MEMBERS = [
    folder("usr"),
    program("usr/python", b"3.6.8" * 300),
    hard_link("usr/python3", "usr/python").but(mode=0o755),
    link("python", "usr/python"),
    file("etc/os-release", "ID=ubuntu\n"),
]
SIGNS = b'0123456789abcdef"{}[],:x \\\xff'
MAKERS = (zstd_chunked, estargz)


def true_table(make: Any) -> Table:
    """The entries that a truthful writer lists."""
    held: Table = []
    make(MEMBERS, held.extend)
    return held


def broken(chance: random.Random, raw: bytes, spread: float) -> bytes:
    """Some bytes replaced, gone or added, nearer to the end the smaller `spread` is."""
    found = bytearray(raw)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = max(0, len(found) - 1 - int(chance.expovariate(1 / spread)))
        change = chance.random()
        if change < 0.6:
            found[at] = chance.choice(SIGNS)
        elif change < 0.8:
            del found[at]
        else:
            found.insert(at, chance.choice(SIGNS))
    return bytes(found)


def found_in(made: Layer) -> ContentsTable | None:
    """The table, where layer and table could be read and agree."""
    found = inspect(made)
    table = found.contents_table
    return table if found.problem is None and table is not None and not table.disagreement else None


def test_no_broken_table_says_something_else_than_the_tar() -> None:
    """A table that is believed lists the same: names may be written otherwise, and a whole file's size be left out."""
    chance = random.Random(SEED)  # noqa: S311
    tables = [as_table(true_table(make)) for make in MAKERS]
    believed = 0
    for _ in range(CASES):
        kind = chance.randrange(len(MAKERS))
        text = broken(chance, tables[kind], 400)
        if found_in(MAKERS[kind](MEMBERS, text=text)) is not None:
            believed += 1
            assert meant(text) == meant(tables[kind])
    assert believed


def meant(text: bytes) -> Table:
    """The entries, names as paths, without what `size` says already."""
    entries: Table = json.loads(text)["entries"]
    return [entry | {"name": posixpath.normpath(entry["name"]), "chunkSize": 0} for entry in entries]


def test_broken_ends_of_layers_are_read_to_an_answer() -> None:
    """Footers and packed tables with wrong bytes: an answer, whatever it is."""
    chance = random.Random(SEED + 1)  # noqa: S311
    good = [make(MEMBERS) for make in MAKERS]
    believed = 0
    for _ in range(CASES):
        made = chance.choice(good)
        believed += found_in(replace(made, blob=broken(chance, made.blob, 60))) is not None
    assert believed < CASES
