"""Layers that are damaged, hostile or too large: nothing of such an image is believed."""

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable

from policy.inspection.archive.zstandard import zstd
from policy.inspection.budgets import Budgets
from tests.corpus.builders import (
    GZIP,
    TAR,
    ZSTD,
    Image,
    blob_layer,
    gzip_with_header,
    gzipped,
    image,
    packed,
    zstandard,
)
from tests.corpus.case import Case, good, unclear
from tests.corpus.systems import conda_record, os_release
from tests.corpus.tarballs import (
    Entry,
    file,
    folder,
    global_pax,
    hard_link,
    header,
    link,
    long_name,
    member,
    pax,
    pax_record,
    pax_records,
    tar,
    whiteout,
)

RELEASE = "usr/lib/os-release"


def blob(change: Callable[[bytes], bytes], media_type: str = GZIP) -> Image:
    """A good image whose only layer is a damaged blob."""
    raw = tar(*good())
    return image(blob_layer(change(raw), raw, media_type))


def on_top(*entries: Entry) -> Image:
    """A good image with members on top that cannot be read or believed."""
    return image(good(), list(entries))


def raw_on_top(raw: bytes) -> Image:
    """A good image with an archive of these bytes on top."""
    return image(good(), packed(raw))


def flipped(raw: bytes, at: int) -> bytes:
    """One bit changed."""
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def wrong_size(packed_raw: bytes) -> bytes:
    """gzip's own size field changed."""
    return packed_raw[:-1] + bytes([packed_raw[-1] ^ 1])


def bomb(size: int) -> bytes:
    """Zeros, a thousand times smaller."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(bytes(size)) + packer.flush()


TOO_LARGE = file("x", b"").but(size=b"\x80" + (1 << 60).to_bytes(11, "big"))
NEGATIVE = file("x", b"").but(size=b"\xff" * 12)
SMALL = Budgets(uncompressed_bytes=100_000)

DAMAGED: list[Case] = [
    unclear("a header's checksum is wrong", lambda: on_top(file("x", "x").but(checksum=b"012345\0 ")), "checksum"),
    unclear("a flipped bit in a header", lambda: raw_on_top(flipped(tar(*good()), 3)), "checksum"),
    unclear("a checksum that is no number", lambda: on_top(file("x").but(checksum=b"zzzzzz\0 ")), "octal"),
    unclear("a size that is no number", lambda: on_top(file("x").but(size=b"0000000009z\0")), "octal"),
    unclear("a size with an underscore", lambda: on_top(file("x", b"12345678").but(size=b"000000001_0\0"))),
    unclear("a size with a sign", lambda: on_top(file("x").but(size=b"+0000000000\0"))),
    unclear("a negative size", lambda: on_top(NEGATIVE), "negative"),
    unclear("a member of 2^60 bytes", lambda: on_top(TOO_LARGE), "ends"),
    unclear("a body cut short", lambda: raw_on_top(member(file("x", b"y" * 2000))[:-600]), "ends"),
    unclear("a body without its padding", lambda: raw_on_top(member(file("x", b"y" * 600))[:-3]), "ends"),
    unclear("a header cut short", lambda: raw_on_top(header(file("x"))[:200]), "ends"),
    unclear(
        "a lone zero block in the middle",
        lambda: raw_on_top(member(file("x")) + bytes(512) + member(file("y")) + bytes(1024)),
        "lone zero block",
    ),
    unclear("a lone zero block at the end", lambda: raw_on_top(member(file("x")) + bytes(512)), "lone zero block"),
    unclear("zero bytes", lambda: raw_on_top(b""), "empty"),
    unclear("text instead of an archive", lambda: raw_on_top(b"hello, this is not an archive\n" * 100)),
    unclear("an extended header at the end", lambda: on_top(pax(pax_records(path="x"))), "extended header"),
    unclear("an extended header that says nothing at the end", lambda: on_top(pax(b"")), "extended header"),
    unclear("a long name at the end", lambda: on_top(long_name("x")), "extended header"),
    unclear("a pax record of a wrong length", lambda: on_top(pax(b"99 path=x\n"), file("x")), "length"),
    unclear("a pax record without a length", lambda: on_top(pax(b"path=x\n"), file("x")), "length"),
    unclear("a pax record without a key", lambda: on_top(pax(pax_record(b"", b"x")), file("x")), "key"),
    unclear("a pax record without an equals sign", lambda: on_top(pax(b"7 path\n"), file("x"))),
    unclear("a pax path with a NUL", lambda: on_top(pax(pax_records(path=b"etc/x\0y")), file("x")), "NUL"),
    unclear("a pax size that is no number", lambda: on_top(pax(pax_records(size="12x")), file("x")), "size"),
    unclear("a pax size that is negative", lambda: on_top(pax(pax_records(size="-1")), file("x")), "size"),
    unclear("a pax header of half a block of junk", lambda: on_top(pax(bytes(256)), file("x"))),
    unclear("a global header that renames", lambda: on_top(pax(pax_records(path=RELEASE), "g"), file("x")), "global"),
    unclear(
        "a global header behind an extended one",
        lambda: on_top(pax(pax_records(path="y")), pax(pax_records(comment="z"), "g"), file("x")),
        "global",
    ),
    unclear("a global header of a whiteout's name", lambda: on_top(global_pax("opt/.wh.conda")), "'opt/.wh.conda'"),
    unclear("a global header of an opaque marker's name", lambda: on_top(global_pax(".wh..wh..opq")), "'.wh..wh..opq'"),
    unclear(
        "a global header of a member's name",
        lambda: on_top(file(RELEASE, os_release()), global_pax(RELEASE)),
        f"'{RELEASE}'",
    ),
    unclear(
        "a global header of a member's name by a link",
        lambda: on_top(folder("usr/lib"), link("lib", "usr/lib"), file(RELEASE), global_pax("lib/os-release")),
        "'lib/os-release'",
    ),
    unclear("a global header below an older file", lambda: on_top(global_pax(f"{RELEASE}/x")), f"'{RELEASE}/x'"),
    unclear("a global header in a deleted directory", lambda: on_top(whiteout("srv"), global_pax("srv/x")), "'srv/x'"),
    unclear("an owner that is no number", lambda: on_top(file("x").but(change={108: b"!000000\0"})), "octal"),
    unclear("a time that is no number", lambda: on_top(file("x").but(change={136: b"13511476&00\0"})), "octal"),
    unclear("a device that is no number", lambda: on_top(file("x").but(change={329: b"!000000\0"})), "octal"),
    unclear(
        "a mode of an extended header that is no number",
        lambda: on_top(pax(pax_records(path="y")).but(change={100: b"../x"}), file("x")),
        "octal",
    ),
    unclear("a global header that resizes", lambda: on_top(pax(pax_records(size="0"), "g"), file("x", "y")), "global"),
    unclear("a type nobody knows", lambda: on_top(Entry("x", kind="Z")), "type"),
    unclear("a multi-volume archive", lambda: on_top(Entry("x", kind="M")), "type"),
    unclear(
        "a sparse map beyond the file",
        lambda: on_top(
            Entry(
                "x", kind="S", body=b"y" * 9, form="gnu", change={386: b"%011o\0%011o\0" % (5, 9), 483: b"%011o\0" % 9}
            )
        ),
        "sparse",
    ),
    unclear(
        "a sparse map of more than is stored",
        lambda: on_top(
            Entry(
                "x",
                kind="S",
                body=b"y" * 9,
                form="gnu",
                change={386: b"%011o\0%011o\0" % (0, 99), 483: b"%011o\0" % 99},
            )
        ),
        "stores",
    ),
    unclear("a pax header cut short", lambda: raw_on_top(member(pax(pax_records(path="x")))[:-100]), "ends"),
    unclear(
        "a sparse map without an end",
        lambda: raw_on_top(
            header(Entry("x", kind="S", form="gnu", change={386: b"%011o\0%011o\0" % (0, 0), 482: b"\1"}))
        ),
        "sparse",
    ),
    unclear("a sparse member that is no gnu member", lambda: on_top(Entry("x", kind="S")), "GNU"),
    unclear(
        "gnu times that are a prefix",
        lambda: on_top(file(RELEASE, os_release()).but(form="gnu", change={345: b"home/evil"})),
    ),
    unclear(
        "a link that is sparse",
        lambda: on_top(
            pax(pax_records(GNU__sparse__major="1", GNU__sparse__minor="0", GNU__sparse__name="y")), link("x", "y")
        ),
        "sparse",
    ),
]

COMPRESSED: list[Case] = [
    unclear("gzip with a wrong checksum", lambda: blob(lambda raw: flipped(gzipped(raw), -6)), "damaged"),
    unclear("gzip with a wrong size", lambda: blob(lambda raw: wrong_size(gzipped(raw))), "damaged"),
    unclear("gzip with a flipped bit", lambda: blob(lambda raw: flipped(gzipped(raw), 300))),
    unclear("gzip cut in its data", lambda: blob(lambda raw: gzipped(raw)[:-200]), "ends before"),
    unclear("gzip cut in its checksum", lambda: blob(lambda raw: gzipped(raw)[:-5]), "ends before"),
    unclear("gzip without its trailer", lambda: blob(lambda raw: gzipped(raw)[:-8]), "ends before"),
    unclear("gzip with garbage behind", lambda: blob(lambda raw: gzipped(raw) + b"garbage"), "padding"),
    unclear("gzip with garbage behind zeros", lambda: blob(lambda raw: gzipped(raw) + bytes(9) + b"x"), "padding"),
    unclear("gzip behind zero padding", lambda: blob(lambda raw: gzipped(raw) + bytes(512) + gzipped(b"")), "padding"),
    unclear("gzip with half a magic behind", lambda: blob(lambda raw: gzipped(raw) + b"\x1f"), "padding"),
    unclear(
        "gzip with a second member cut", lambda: blob(lambda raw: gzipped(raw) + gzipped(b"x")[:12]), "ends before"
    ),
    unclear(
        "gzip with a wrong header checksum", lambda: blob(lambda raw: gzip_with_header(raw, 2, b"\0\0")), "damaged"
    ),
    unclear("gzip by another method", lambda: blob(lambda raw: b"\x1f\x8b\x07" + gzipped(raw)[3:]), "damaged"),
    unclear("zstd with a wrong checksum", lambda: blob(lambda raw: flipped(zstandard(raw), -1), ZSTD), "damaged"),
    unclear("zstd cut in its data", lambda: blob(lambda raw: zstandard(raw)[:-100], ZSTD), "ends before"),
    unclear("zstd cut in its checksum", lambda: blob(lambda raw: zstandard(raw)[:-1], ZSTD), "ends before"),
    unclear("zstd with garbage behind", lambda: blob(lambda raw: zstandard(raw) + b"garbage!", ZSTD), "damaged"),
    unclear("zstd with zeros behind", lambda: blob(lambda raw: zstandard(raw) + bytes(512), ZSTD), "damaged"),
    unclear(
        "zstd with half a skippable frame",
        lambda: blob(lambda raw: zstandard(raw) + struct.pack("<II", 0x184D2A50, 99), ZSTD),
        "ends before",
    ),
    unclear(
        "zstd with a huge window",
        lambda: blob(lambda raw: zstd.compress(raw * 9000, options={zstd.CompressionParameter.window_log: 28}), ZSTD),
    ),
    unclear("bzip2", lambda: blob(bz2.compress, TAR), "bzip2"),
    unclear("xz", lambda: blob(lzma.compress, TAR), "xz"),
]

HOSTILE: list[Case] = [
    unclear("a name that climbs", lambda: on_top(file("../etc/os-release", os_release())), "'..'"),
    unclear("a name that climbs from the root", lambda: on_top(file("/../etc/x")), "'..'"),
    unclear("a name with .. inside", lambda: on_top(file("etc/../etc/os-release", os_release())), "'..'"),
    unclear("a name that ends with ..", lambda: on_top(folder("etc/..")), "'..'"),
    unclear("a pax path that climbs", lambda: on_top(pax(pax_records(path="a/../../b")), file("x")), "'..'"),
    unclear("a long name that climbs", lambda: on_top(long_name("../x"), file("x")), "'..'"),
    unclear("a hard link that climbs", lambda: on_top(hard_link("x", "../etc/passwd")), "'..'"),
    unclear("a whiteout that climbs", lambda: on_top(file("../.wh.etc")), "'..'"),
    unclear("a whiteout of nothing", lambda: on_top(file("etc/.wh.")), "names nothing"),
    unclear("a whiteout of .", lambda: on_top(file("etc/.wh..")), "names nothing"),
    unclear("a whiteout of ..", lambda: on_top(file("etc/.wh...")), "names nothing"),
    unclear("a file in place of the root", lambda: on_top(file("./")), "root"),
    unclear("a link in place of the root", lambda: on_top(link("/", "/usr")), "root"),
    unclear("members below a file", lambda: on_top(file("a"), file("a/b")), "below"),
    unclear("members below links in a circle", lambda: on_top(link("a", "b"), link("b", "a"), file("a/c")), "circle"),
]

BOMBS: list[Case] = [
    unclear("more bytes than the budget", lambda: on_top(file("x", bytes(200_000))), "larger than", SMALL),
    unclear("a gzip bomb", lambda: image(good(), blob_layer(bomb(3_000_000), b"")), "larger than", SMALL),
    unclear(
        "a ratio beyond the budget",
        lambda: image(good(), blob_layer(bomb(9_000_000), b"")),
        "times",
        Budgets(ratio=100, ratio_from_bytes=1_000_000),
    ),
    unclear(
        "zeros behind the end beyond the budget",
        lambda: raw_on_top(tar(file("x")) + bytes(200_000)),
        "larger than",
        SMALL,
    ),
    unclear(
        "more members than the budget",
        lambda: on_top(*(file(f"{n}") for n in range(99))),
        "members",
        Budgets(members=90),
    ),
    unclear("a path deeper than the budget", lambda: on_top(Entry("/".join("a" * 600), form="pax")), "parts"),
    unclear(
        "names longer than the budget",
        lambda: on_top(*(file(f"{n:090}") for n in range(99))),
        "names",
        Budgets(names_bytes=5000),
    ),
    unclear(
        "parents that nobody named beyond the budget",
        lambda: on_top(*(Entry(f"{n}/" + "/".join("a" * 400), form="pax") for n in range(9))),
        "names",
        Budgets(names_bytes=200_000),
    ),
    unclear(
        "more records of conda than anybody has",
        lambda: on_top(*(conda_record(f"4.5.{n}") for n in range(200))),
        "more than",
    ),
    unclear(
        "an extended header larger than the budget",
        lambda: on_top(pax(pax_records(comment="x" * 2_000_000)), file("x")),
        "extended header",
    ),
    unclear("a long name larger than the budget", lambda: on_top(long_name("x" * 2_000_000), file("x")), "extended"),
    unclear(
        "more records than the budget",
        lambda: on_top(*(file(f"{n}/os-release") for n in range(99))),
        "detectors",
        Budgets(records=50),
    ),
    unclear("more time than the budget", lambda: on_top(file("x", "x")), "processor time", Budgets(cpu_seconds=0)),
]

CASES: list[Case] = [
    *DAMAGED,
    *COMPRESSED,
    *HOSTILE,
    *BOMBS,
    unclear("a whiteout and a cut", lambda: raw_on_top(member(whiteout("etc/x"))[:100])),
]
