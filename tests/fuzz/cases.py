"""Broken layers made from good ones, by the thousand, from a seed: every case can be made again."""

import random
from collections.abc import Callable, Sequence

from tests.corpus.builders import gzipped, zstandard
from tests.corpus.systems import miniconda, ubuntu
from tests.corpus.tarballs import (
    BLOCK,
    Entry,
    file,
    hard_link,
    link,
    long_name,
    opaque,
    pax,
    pax_records,
    tar,
    whiteout,
)

Change = Callable[[random.Random, bytearray], None]


def seeds() -> list[bytes]:
    """Small archives that hold one of everything."""
    odd = [
        pax(pax_records(path="usr/lib/os-release", size="5")),
        file("x", "ID=ub"),
        long_name("opt/" + "long/" * 40),
        file("short"),
        whiteout("opt/miniconda/bin/python"),
        opaque("opt/miniconda/conda-meta"),
        hard_link("etc/again", "etc/lsb-release"),
        link("lib", "usr/lib"),
        file("lib/os-release", "VERSION_ID=1.1\n"),
        Entry("s", kind="S", body=b"abc", form="gnu", change={386: b"%011o\0%011o\0" % (4, 3), 483: b"%011o\0" % 9}),
        pax(
            pax_records(
                GNU__sparse__major="1", GNU__sparse__minor="0", GNU__sparse__name="n", GNU__sparse__realsize="3"
            )
        ),
        file("GNUSparse/n", b"1\n0\n3\n".ljust(BLOCK, b"\0") + b"abc"),
    ]
    return [tar(*ubuntu()[:6]), tar(*miniconda()[:7]), tar(*odd)]


def flip(chance: random.Random, raw: bytearray) -> None:
    """Some bits."""
    for _ in range(chance.randint(1, 4)):
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)


def cut(chance: random.Random, raw: bytearray) -> None:
    """The end."""
    del raw[chance.randrange(len(raw)) :]


def insert(chance: random.Random, raw: bytearray) -> None:
    """Some bytes, or a block of them."""
    size = chance.choice([1, 7, BLOCK])
    at = chance.randrange(len(raw) // BLOCK + 1) * BLOCK if size == BLOCK else chance.randrange(len(raw))
    raw[at:at] = chance.choice([bytes(size), chance.randbytes(size), b"/" * size, b"." * size])


def shuffle(chance: random.Random, raw: bytearray) -> None:
    """Two blocks change places."""
    blocks = len(raw) // BLOCK
    one, other = (chance.randrange(blocks) * BLOCK for _ in range(2))
    raw[one : one + BLOCK], raw[other : other + BLOCK] = raw[other : other + BLOCK], raw[one : one + BLOCK]


def field(chance: random.Random, raw: bytearray) -> None:
    """A header's field replaced, its checksum made right again, so that what is behind the checksum is reached."""
    at = chance.randrange(len(raw) // BLOCK) * BLOCK
    start, size = chance.choice([(0, 100), (100, 8), (124, 12), (156, 1), (157, 100), (257, 8), (345, 155), (482, 13)])
    value = chance.choice(_VALUES)(chance, size)[:size].ljust(size, b"\0")
    raw[at + start : at + start + size] = value
    raw[at + 148 : at + 156] = b" " * 8
    raw[at + 148 : at + 156] = b"%06o\0 " % sum(raw[at : at + BLOCK])


_VALUES: Sequence[Callable[[random.Random, int], bytes]] = (
    lambda chance, size: chance.randbytes(size),
    lambda chance, size: b"%0*o" % (size - 1, chance.choice([0, 1, 511, 512, 513, 1 << 20])),
    lambda chance, size: b"\x80" + chance.randbytes(size - 1),
    lambda chance, _: chance.choice([b"../x", b"a/../b", b"/", b".", b"lib/x", b".wh.", b".wh..", b"etc/.wh..wh..opq"]),
    lambda chance, _: chance.choice(
        [b"0", b"1", b"2", b"3", b"5", b"6", b"7", b"S", b"L", b"K", b"x", b"g", b"\0", b"Z"]
    ),
    lambda chance, _: chance.choice([b"usr/lib/os-release", b"a/" * 70, b"opt/miniconda/bin/python", b"\xff\xfe"]),
)
CHANGES: Sequence[Change] = (flip, cut, insert, shuffle, field, field, field)


def archive(chance: random.Random, good: Sequence[bytes]) -> bytes:
    """An archive with one to three changes."""
    raw = bytearray(chance.choice(good))
    for _ in range(chance.randint(1, 3)):
        if len(raw) >= BLOCK:
            chance.choice(CHANGES)(chance, raw)
    return bytes(raw)


def blob(chance: random.Random, good: Sequence[bytes]) -> bytes:
    """A layer's blob: mostly a broken archive as it is, else packed, else broken after it was packed."""
    kind = chance.randrange(10)
    if kind < 6:
        return archive(chance, good)
    pack = chance.choice([gzipped, zstandard])
    if kind < 8:
        return pack(archive(chance, good))
    raw = bytearray(pack(chance.choice(good)))
    chance.choice([flip, cut, insert])(chance, raw)
    return bytes(raw)
