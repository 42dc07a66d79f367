"""Images whose layers use every form an archive and its compression can have; all of them pass."""

import struct
from collections.abc import Callable

from policy.inspection.archive.zstandard import zstd
from policy.inspection.budgets import Budgets
from tests.corpus.builders import (
    GZIP,
    TAR,
    ZSTD,
    Image,
    Layer,
    blob_layer,
    gzip_with_header,
    gzipped,
    image,
    layer,
    packed,
    zstandard,
)
from tests.corpus.case import Case, cleared, good, unclear
from tests.corpus.systems import lsb_release, miniconda, os_release, record, ubuntu
from tests.corpus.tarballs import (
    BLOCK,
    Entry,
    file,
    folder,
    global_pax,
    header,
    long_name,
    member,
    padded,
    pax,
    pax_records,
    tar,
)

NO_REGION, TWO_REGIONS = Budgets(sparse_regions=0), Budgets(sparse_regions=2)
RELEASE = "usr/lib/os-release"
LONG = "/".join(["a-rather-long-directory-name"] * 5)


def of_bytes(blob: Callable[[bytes], bytes], media_type: str = GZIP) -> Image:
    """A good image in one layer whose archive is packed in a special way."""
    raw = tar(*good())
    return image(blob_layer(blob(raw), raw, media_type))


def formed(change: Callable[[Entry], Entry]) -> Image:
    """A good image every member of which is written in another form."""
    return image([change(entry) for entry in good()])


def released(*entries: Entry) -> Image:
    """A good image whose os-release comes in these members instead, and that has no lsb-release."""
    kept = [entry for entry in ubuntu() if entry.name not in {RELEASE, "etc/lsb-release"}]
    return image([*kept, *entries, *miniconda()])


def halves(raw: bytes) -> tuple[bytes, bytes]:
    """Two parts of an archive that do not meet at a block."""
    return raw[: len(raw) // 2 + 7], raw[len(raw) // 2 + 7 :]


def skippable(size: int = 9) -> bytes:
    """A skippable frame of zstd."""
    return struct.pack("<II", 0x184D2A57, size) + b"x" * size


def deep_prefix(form: str) -> Image:
    """A prefix so deep that its names need a prefix field or an extended header."""
    entries = [entry.but(form=form) for entry in miniconda(prefix=f"{LONG}/conda")]
    return image(ubuntu(), entries, path=f"/{LONG}/conda/bin:/bin")


def old_sparse() -> list[Entry]:
    """os-release as an old GNU sparse member: two regions, a hole between them."""
    text = os_release().encode()
    body = text[:100] + text[100:]
    regions = b"".join(b"%011o\0%011o\0" % pair for pair in ((0, 100), (100, len(text) - 100)))
    entry = Entry(RELEASE, kind="S", body=body, form="gnu")
    return [entry.but(change={386: regions, 483: b"%011o\0" % len(text)})]


def old_sparse_extended() -> list[Entry]:
    """The same with the map going on in an extension block."""
    text = os_release().encode()
    step = 20
    pairs = [(at, min(step, len(text) - at)) for at in range(0, len(text), step)]
    fields = [b"%011o\0%011o\0" % pair for pair in pairs]
    change = {386: b"".join(fields[:4]), 482: b"\1", 483: b"%011o\0" % len(text)}
    head = header(Entry(RELEASE, kind="S", body=text, form="gnu", change=change))
    return [Entry(raw=head + b"".join(fields[4:]).ljust(BLOCK, b"\0") + padded(text))]


def pax_sparse_1_0() -> list[Entry]:
    """os-release in pax sparse format 1.0: the map stands in front of the body."""
    text = os_release().encode()
    sparse_map = padded(b"1\n0\n%d\n" % len(text))
    names = {"GNU__sparse__major": "1", "GNU__sparse__minor": "0", "GNU__sparse__name": RELEASE}
    records = pax_records(**names, GNU__sparse__realsize=str(len(text)))
    return [pax(records), file("GNUSparseFile.0/os-release", sparse_map + text)]


def pax_sparse_0_1() -> list[Entry]:
    """os-release in pax sparse format 0.1: the map stands in the extended header."""
    text = os_release().encode()
    names = {"GNU__sparse__name": RELEASE, "GNU__sparse__map": f"0,{len(text)}"}
    return [pax(pax_records(**names, GNU__sparse__size=str(len(text)))), file("GNUSparseFile.0/x", text)]


def pax_sparse_0_0() -> list[Entry]:
    """os-release in pax sparse format 0.0: pairs of records, one for each region, and the member's own name."""
    text = os_release().encode()
    regions = ((0, 50), (50, len(text) - 50))
    pairs = [pax_records(GNU__sparse__offset=str(at)) + pax_records(GNU__sparse__numbytes=str(n)) for at, n in regions]
    head = pax_records(GNU__sparse__size=str(len(text)), GNU__sparse__numblocks="2")
    return [pax(head + b"".join(pairs)), file(RELEASE, text)]


def sized_by_pax() -> list[Entry]:
    """The size stands in the extended header, the header's own field says 0."""
    text = os_release().encode()
    return [pax(pax_records(size=str(len(text)))), file(RELEASE, text).but(size=0)]


def in_base_256(entry: Entry) -> Entry:
    """The size as a base-256 number."""
    return entry.but(size=b"\x80" + len(entry.body).to_bytes(11, "big"))


def signed_checksum() -> list[Entry]:
    """A name beyond ASCII and a checksum over signed bytes, as old writers made it."""
    entry = file("etc/übung".encode(), "text")
    block = header(entry.but(checksum=b" " * 8))
    signed = sum(byte - 256 if byte > 127 else byte for byte in block)
    return [entry.but(checksum=b"%06o\0 " % signed)]


def two_archives() -> Image:
    """A second archive behind the end of the first is no part of the layer."""
    behind = tar(file(RELEASE, os_release("debian", "9.0")))
    return image(packed(tar(*good()) + behind))


def odd_end(raw_end: bytes) -> Image:
    """The archive ends in another way than two zero blocks."""
    return image(packed(tar(*good(), end=raw_end)))


def split_frames(raw: bytes) -> bytes:
    """Two zstd frames with skippable frames before, between and behind."""
    first, second = halves(raw)
    return skippable() + zstandard(first) + skippable(0) + zstandard(second) + skippable(3)


def large_member() -> Layer:
    """Members that cross the pieces in which a stream is read."""
    noise = b"".join(struct.pack("<I", number * 2654435761 % 2**32) for number in range(700_000))
    return layer(file("big", noise), *miniconda(), file("bigger", noise * 2), media_type=ZSTD)


CASES: list[Case] = [
    cleared("gnu headers", lambda: formed(lambda entry: entry.but(form="gnu"))),
    cleared("v7 headers", lambda: formed(lambda entry: entry.but(form="v7"))),
    cleared("files of type NUL", lambda: formed(lambda e: e.but(kind="\0") if e.kind == "0" else e)),
    cleared("directories of type NUL", lambda: formed(lambda e: e.but(kind="\0") if e.kind == "5" else e)),
    cleared("contiguous files", lambda: formed(lambda e: e.but(kind="7") if e.kind == "0" else e)),
    cleared("sizes in base 256", lambda: formed(in_base_256)),
    cleared("sizes padded with spaces", lambda: formed(lambda e: e.but(size=b"%10o \0" % len(e.body)))),
    cleared("sizes of twelve digits", lambda: formed(lambda e: e.but(size=b"%012o" % len(e.body)))),
    cleared("checksums in another form", lambda: formed(lambda e: e.but(checksum=other_checksum(e)))),
    cleared("a checksum over signed bytes", lambda: image([*good(), *signed_checksum()])),
    cleared("names from ./", lambda: formed(lambda e: e.but(name=f"./{e.path}"))),
    cleared("names from /", lambda: formed(lambda e: e.but(name=f"/{e.path}"))),
    cleared("names from //.//", lambda: formed(lambda e: e.but(name=f"//.//{e.path}"))),
    cleared("names with // inside", lambda: formed(lambda e: e.but(name=e.path.replace("/", "//./")))),
    cleared("the root as a member", lambda: image([folder("."), *good(), folder("")])),
    cleared("no directories at all", lambda: image([entry for entry in good() if entry.kind != "5"])),
    cleared("a deep prefix in ustar", lambda: deep_prefix("ustar")),
    cleared("a deep prefix in pax", lambda: deep_prefix("pax")),
    cleared("a deep prefix in gnu", lambda: deep_prefix("gnu")),
    cleared("a pax path", lambda: released(pax(pax_records(path=RELEASE)), file("x", os_release()))),
    cleared("a pax path that is empty", lambda: released(pax(pax_records(path="")), file(RELEASE, os_release()))),
    cleared(
        "a pax link target",
        lambda: image(
            good(),
            [pax(pax_records(linkpath="python3.6")), Entry("opt/miniconda/bin/python", kind="2", link="python9.9")],
        ),
    ),
    cleared(
        "gnu long name wins over pax path",
        lambda: released(pax(pax_records(path="x")), long_name(RELEASE), file("y", os_release())),
    ),
    cleared(
        "the later pax header wins",
        lambda: released(pax(pax_records(path="x")), pax(pax_records(path=RELEASE)), file("y", os_release())),
    ),
    cleared("a size in a pax header", lambda: released(*sized_by_pax())),
    cleared("a global header with a comment", lambda: image([global_pax(), *good(), global_pax("./")])),
    cleared("a global header in a directory of the layer", lambda: image([*good(), global_pax("etc/global")])),
    cleared(
        "pax times and attributes",
        lambda: image([pax(pax_records(mtime="1.5", SCHILY__xattr__user__x=b"\0\1=\n")), *good()]),
    ),
    cleared("old gnu sparse", lambda: released(*old_sparse())),
    cleared("old gnu sparse with an extension", lambda: released(*old_sparse_extended())),
    cleared("pax sparse 1.0", lambda: released(*pax_sparse_1_0())),
    cleared("pax sparse 0.1", lambda: released(*pax_sparse_0_1())),
    cleared("pax sparse 0.0", lambda: released(*pax_sparse_0_0())),
    unclear("old gnu sparse, too many regions", lambda: released(*old_sparse_extended()), "regions", TWO_REGIONS),
    unclear("pax sparse 1.0, too many regions", lambda: released(*pax_sparse_1_0()), "regions", NO_REGION),
    unclear("pax sparse 0.1, too many regions", lambda: released(*pax_sparse_0_1()), "regions", NO_REGION),
    cleared(
        "gnu times where ustar has its prefix",
        lambda: formed(lambda e: e.but(form="gnu", change={345: b"%011o\0" % 1, 357: b"%011o\0" % 2})),
    ),
    cleared("no end at all", lambda: odd_end(b"")),
    cleared("an end filled up to 10 KiB", lambda: odd_end(bytes(10240))),
    cleared("junk behind the end", lambda: odd_end(bytes(1024) + b"junk" * 300)),
    cleared("a second archive behind the end", two_archives),
    cleared("a directory and nothing else", lambda: image(good(), packed(tar(folder("."), end=b"")))),
    cleared("an empty archive on top", lambda: image(good(), [])),
    cleared("two gzip members", lambda: of_bytes(lambda raw: b"".join(map(gzipped, halves(raw))))),
    cleared(
        "many gzip members",
        lambda: of_bytes(lambda raw: b"".join(gzipped(raw[at : at + 700]) for at in range(0, len(raw), 700))),
    ),
    cleared("an empty gzip member", lambda: of_bytes(lambda raw: gzipped(b"") + gzipped(raw) + gzipped(b""))),
    cleared("zero padding behind gzip", lambda: of_bytes(lambda raw: gzipped(raw) + bytes(700_000))),
    cleared("gzip with a name", lambda: of_bytes(lambda raw: gzip_with_header(raw, 8, b"layer.tar\0"))),
    cleared(
        "gzip with extra and comment",
        lambda: of_bytes(lambda raw: gzip_with_header(raw, 4 | 16, b"\x03\0abc" + b"comment\0")),
    ),
    cleared("zstd with skippable frames", lambda: of_bytes(split_frames, ZSTD)),
    cleared("zstd without checksum and size", lambda: of_bytes(lambda raw: zstd.compress(raw, 19), ZSTD)),
    cleared("gzip under the type of plain tar", lambda: of_bytes(gzipped, TAR)),
    cleared("plain under the type of gzip", lambda: of_bytes(lambda raw: raw, GZIP)),
    cleared("docker's media types", lambda: of_bytes(gzipped, "application/vnd.docker.image.rootfs.diff.tar.gzip")),
    cleared(
        "a foreign layer that is here",
        lambda: of_bytes(gzipped, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"),
    ),
    cleared("members across the pieces of the stream", lambda: image(ubuntu(), large_member())),
    cleared("a name that is not UTF-8", lambda: image(good(), [file(b"etc/\xff\xfe", "x")])),
    cleared("a name with a line end", lambda: image(good(), [pax(pax_records(path="etc/a\nb")), file("x", "x")])),
    cleared(
        "a record of 700 kB",
        lambda: image(
            ubuntu(),
            [
                *(entry for entry in miniconda() if "python-" not in entry.path),
                file(
                    "opt/miniconda/conda-meta/python-3.6.8-0.json",
                    record("python", "3.6.8", files=[f"lib/python3.6/{number}.py" for number in range(30_000)]),
                ),
            ],
        ),
    ),
    cleared(
        "lsb-release beside a directory os-release",
        lambda: image([folder("etc/os-release"), file("etc/lsb-release", lsb_release()), *miniconda()]),
    ),
]


def other_checksum(entry: Entry) -> bytes:
    """The right sum, written with leading spaces and without a NUL."""
    block = header(entry.but(checksum=b" " * 8))
    return b"%8o" % sum(block)


assert member(file("x")) == header(file("x"))
