"""Archives and compressions in odd forms: ends, sizes, long names, extended headers, sparse members, frames."""

import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from policy.inspection.archive.zstandard import zstd
from tests.corpus.builders import (
    GZIP,
    TAR,
    ZSTD,
    Layer,
    blob_layer,
    gzip_with_header,
    layer,
    packed,
)
from tests.corpus.lazy_layers import skippable
from tests.corpus.tarballs import (
    END,
    Entry,
    file,
    folder,
    global_pax,
    hard_link,
    header,
    link,
    long_name,
    member,
    padded,
    pax,
    pax_record,
    pax_records,
    program,
    tar,
)
from tests.runtime import programs
from tests.runtime.images import (
    PATH,
    Image,
    attributed,
    evil,
    good,
    image,
    release,
    remanifested,
)
from tests.runtime.kinds.case import Case, cleared, judged, refused, unclear

DEBIAN = release("9", "debian").encode()
RELEASE = "usr/lib/os-release"
CONDA = "opt/good/bin/conda"
ODD = file(RELEASE, DEBIAN)


def over(*entries: Entry) -> Image:
    """A last layer with another system's os-release in some form, over the good prefix."""
    return image(good(), list(entries))


def archived(raw: bytes) -> Image:
    """The same out of an archive's bytes."""
    return image(good(), packed(raw))


def compressed(pack: Callable[[bytes], bytes], kind: str = GZIP, entries: Sequence[Entry] = (ODD,)) -> Image:
    """The same, compressed by hand."""
    raw = tar(*entries)
    return image(good(), blob_layer(pack(raw), raw, kind))


def changed(at: int, content: bytes, entry: Entry = ODD) -> Image:
    """The same with bytes put into the header."""
    return over(entry.but(change={**entry.change, at: content}))


def headed(records: bytes, entry: Entry, kind: str = "x") -> Image:
    """A member behind an extended header."""
    return over(pax(records, kind), entry)


def sparse(form: str) -> list[Entry]:
    """Another system's os-release as a sparse member in GNU's forms."""
    size = str(len(DEBIAN))
    if form == "old":
        change = {386: b"%011o\0%011o\0" % (0, len(DEBIAN)), 483: b"%011o\0" % len(DEBIAN)}
        return [Entry(RELEASE, kind="S", body=DEBIAN, form="gnu", change=change)]
    if form == "0.1":
        keys = {"GNU__sparse__size": size, "GNU__sparse__numblocks": "1", "GNU__sparse__map": f"0,{size}"}
        return [pax(pax_records(**keys, GNU__sparse__name=RELEASE)), file("usr/lib/GNUSparseFile.0/os-release", DEBIAN)]
    if form == "0.0":
        keys = {"GNU__sparse__size": size, "GNU__sparse__numblocks": "1"}
        pairs = pax_records(GNU__sparse__offset="0", GNU__sparse__numbytes=size)
        return [pax(pax_records(**keys) + pairs), file(RELEASE, DEBIAN)]
    keys = {"GNU__sparse__major": "1", "GNU__sparse__minor": "0", "GNU__sparse__name": RELEASE}
    body = padded(b"1\n0\n%d\n" % len(DEBIAN)) + DEBIAN
    return [pax(pax_records(**keys, GNU__sparse__realsize=size)), file("usr/lib/GNUSparseFile.0/os-release", body)]


def many(count: int) -> Image:
    """So many layers, the last of which has another system."""
    return image(good(), *([file(f"srv/{n}", str(n))] for n in range(count)), [ODD])


def again(first: Layer, *others: Any) -> Image:
    """A layer at both ends of a stack."""
    return image(first, *others, first)


def foreign(**members: Any) -> Image:
    """The last layer is one that is fetched from elsewhere, and is here as well."""
    made = image(good(), [ODD])
    document = json.loads(made.manifest)
    document["layers"][-1] |= {"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", **members}
    return remanifested(made, document)


ENDS: tuple[Case, ...] = (
    refused("no end", lambda: archived(member(ODD))),
    unclear("half an end", lambda: archived(member(ODD) + bytes(512))),
    unclear("a member behind half an end", lambda: archived(member(file("srv/x")) + bytes(512) + member(ODD) + END)),
    cleared("a member behind the end", lambda: archived(member(file("srv/x")) + END + member(ODD) + END)),
    cleared("two archives in a row", lambda: archived(tar(file("srv/x")) + tar(ODD))),
    cleared("a member behind three empty blocks", lambda: archived(member(file("srv/x")) + bytes(1536) + tar(ODD))),
    refused("something behind the end", lambda: archived(tar(ODD) + b"something")),
    unclear("nothing at all", lambda: archived(b"")),
    cleared("only an end", lambda: archived(END)),
    unclear("a broken header behind a good one", lambda: archived(member(ODD) + b"x" * 512 + END)),
    unclear("a body that ends early", lambda: archived(member(ODD)[:-600])),
)
COMPRESSIONS: tuple[Case, ...] = (
    refused("gzip in two members", lambda: compressed(lambda raw: gzip.compress(raw[:700]) + gzip.compress(raw[700:]))),
    refused(
        "gzip in members of 100 bytes",
        lambda: compressed(lambda raw: b"".join(gzip.compress(raw[n : n + 100]) for n in range(0, len(raw), 100))),
    ),
    refused(
        "gzip with an empty member in front", lambda: compressed(lambda raw: gzip.compress(b"") + gzip.compress(raw))
    ),
    refused("gzip with zeros behind", lambda: compressed(lambda raw: gzip.compress(raw) + bytes(512))),
    unclear("gzip with words behind", lambda: compressed(lambda raw: gzip.compress(raw) + b"words")),
    unclear(
        "gzip with another archive behind",
        lambda: compressed(lambda raw: gzip.compress(tar(file("srv/x"))) + gzip.compress(raw)),
    ),
    unclear(
        "gzip with a wrong checksum",
        lambda: compressed(lambda raw: gzip.compress(raw)[:-8] + b"wrong" + gzip.compress(raw)[-3:]),
    ),
    unclear("gzip that ends early", lambda: compressed(lambda raw: gzip.compress(raw)[:-9])),
    refused("gzip with a name", lambda: compressed(lambda raw: gzip_with_header(raw, 8, b"name\0"))),
    refused("gzip with an extra field", lambda: compressed(lambda raw: gzip_with_header(raw, 4, b"\4\0abcd"))),
    refused("gzip with a comment", lambda: compressed(lambda raw: gzip_with_header(raw, 16, b"words\0"))),
    unclear(
        "gzip with a header's checksum that is wrong", lambda: compressed(lambda raw: gzip_with_header(raw, 2, b"\0\0"))
    ),
    refused("gzip with reserved flags", lambda: compressed(lambda raw: gzip_with_header(raw, 0xE0, b""))),
    unclear("zlib", lambda: compressed(zlib.compress)),
    refused(
        "zstd in two frames", lambda: compressed(lambda raw: zstd.compress(raw[:700]) + zstd.compress(raw[700:]), ZSTD)
    ),
    refused(
        "zstd with a frame to skip in front",
        lambda: compressed(lambda raw: skippable(b"x" * 9) + zstd.compress(raw), ZSTD),
    ),
    refused("zstd under gzip's type", lambda: compressed(zstd.compress)),
    refused("gzip under zstd's type", lambda: compressed(gzip.compress, ZSTD)),
    refused("plain under gzip's type", lambda: compressed(bytes)),
    refused("gzip under the plain type", lambda: compressed(gzip.compress, TAR)),
)
NUMBERS: tuple[Case, ...] = (
    refused("size in base 256", lambda: changed(124, b"\x80" + len(DEBIAN).to_bytes(11, "big"))),
    unclear("negative size in base 256", lambda: changed(124, b"\xff" * 12)),
    refused("size with blanks", lambda: changed(124, b"% 11o\0" % len(DEBIAN))),
    refused("size of twelve figures", lambda: changed(124, b"%012o" % len(DEBIAN))),
    unclear("size of nothing", lambda: changed(124, bytes(12))),
    unclear("size that is no number", lambda: changed(124, b"0000000009x\0")),
    refused("mode in base 256", lambda: changed(100, b"\x80\0\0\0\0\0\1\xa4")),
    refused("mode of nothing", lambda: changed(100, bytes(8))),
    refused("owner in base 256", lambda: changed(108, b"\x80\0\0\0\0\0\3\xe8")),
    refused("negative owner", lambda: changed(108, b"\xff" * 8)),
    unclear("time that is no number", lambda: changed(136, b"yesterday\0\0\0")),
    refused("negative time", lambda: changed(136, b"\xff" * 12)),
    refused("signed checksum", lambda: over(_signed(file("usr/lib/os-release\xff", DEBIAN)), ODD)),
    unclear("checksum that is wrong", lambda: over(ODD.but(checksum=b"0000001\0"))),
    unclear("checksum of nothing", lambda: over(ODD.but(checksum=bytes(8)))),
)
NAMES: tuple[Case, ...] = (
    unclear(
        "prefix field of GNU's form", lambda: over(file("lib/os-release", DEBIAN).but(form="gnu", change={345: b"usr"}))
    ),
    cleared("prefix field of v7", lambda: over(file("lib/os-release", DEBIAN).but(form="v7", change={345: b"usr"}))),
    refused("prefix field of ustar", lambda: over(file("lib/os-release", DEBIAN).but(change={345: b"usr"}))),
    refused("star's form", lambda: over(file("lib/os-release", DEBIAN).but(change={345: b"usr", 508: b"tar\0"}))),
    refused("something behind the name's NUL", lambda: changed(len(RELEASE) + 1, b"x")),
    refused("long name", lambda: over(long_name(RELEASE), file("x", DEBIAN))),
    refused("long name without NUL", lambda: over(long_name(RELEASE).but(body=RELEASE.encode()), file("x", DEBIAN))),
    refused(
        "long name with something behind its NUL",
        lambda: over(long_name(RELEASE).but(body=RELEASE.encode() + b"\0x"), file("x", DEBIAN)),
    ),
    refused("two long names", lambda: over(long_name("srv/x"), long_name(RELEASE), file("x", DEBIAN))),
    refused("long name of nothing", lambda: over(long_name(""), ODD)),
    cleared(
        "long name before an extended one",
        lambda: over(long_name("srv/x"), *attributed(file("y", DEBIAN), path=RELEASE)),
    ),
    cleared(
        "extended name before a long one",
        lambda: over(pax(pax_records(path=RELEASE)), long_name("srv/x"), file("y", DEBIAN)),
    ),
    refused(
        "long target",
        lambda: over(
            long_name("/opt/r", "K"), Entry("etc/os-release", kind="2", link="x", form="gnu"), file("opt/r", DEBIAN)
        ),
    ),
    unclear("long name without a member", lambda: archived(tar(file("srv/x"), long_name(RELEASE)))),
    unclear("extended header without a member", lambda: archived(tar(ODD, pax(pax_records(path="x"))))),
)
HEADERS: tuple[Case, ...] = (
    refused(
        "path twice",
        lambda: headed(pax_record(b"path", b"srv/x") + pax_record(b"path", RELEASE.encode()), file("y", DEBIAN)),
    ),
    refused("path of nothing", lambda: headed(pax_record(b"path", b""), ODD)),
    unclear("path with NUL", lambda: headed(pax_record(b"path", RELEASE.encode() + b"\0x"), file("y", DEBIAN))),
    cleared("path with a line end", lambda: headed(pax_record(b"path", b"srv/x\ny"), ODD)),
    cleared(
        "two extended headers",
        lambda: over(pax(pax_records(path=RELEASE)), pax(pax_records(mtime="1")), file("y", DEBIAN)),
    ),
    unclear("path in a global header", lambda: headed(pax_records(path=RELEASE), file("y", DEBIAN), "g")),
    unclear("size in a global header", lambda: headed(pax_records(size="10"), ODD, "g")),
    unclear(
        "link's target in a global header",
        lambda: over(pax(pax_records(linkpath="/opt/r"), "g"), link("etc/os-release", "x"), file("opt/r", DEBIAN)),
    ),
    unclear(
        "a global header that an extended one takes back",
        lambda: over(pax(pax_records(path="srv/x"), "g"), pax(pax_records(path=RELEASE)), file("y", DEBIAN)),
    ),
    unclear(
        "a global header behind an extended one",
        lambda: over(pax(pax_records(path=RELEASE)), pax(pax_records(comment="x"), "g"), file("y", DEBIAN)),
    ),
    cleared("a global header as git writes it", lambda: over(global_pax())),
    unclear(
        "a global header named as the whiteout of a prefix", lambda: image(evil(), good(), [global_pax("opt/.wh.good")])
    ),
    unclear("a global header named as an opaque marker", lambda: over(global_pax("opt/good/.wh..wh..opq"))),
    unclear("a global header named as a member", lambda: over(file(RELEASE, release()), global_pax(RELEASE))),
    unclear(
        "a global header below what is a link in an older layer",
        lambda: image(evil(), [*good("srv/x"), link("opt/good", "../srv/x")], [global_pax("opt/good/bin/x")]),
    ),
    unclear("size that is larger than the body", lambda: headed(pax_records(size="99999"), ODD)),
    unclear("size with a sign", lambda: headed(pax_records(size=f"+{len(DEBIAN)}"), ODD)),
    refused("size of nothing in an extended header", lambda: headed(pax_records(size=""), ODD)),
    refused("owner that is no number", lambda: headed(pax_records(uid="worker"), ODD)),
    refused("time that is none", lambda: headed(pax_records(mtime="x"), ODD)),
    unclear("a record without an end", lambda: headed(b"30 path=usr/lib/os-release", file("y", DEBIAN))),
    unclear("a record of a wrong length", lambda: headed(b"99 path=x\n", ODD)),
    unclear("a record without an equals sign", lambda: headed(b"8 pathx\n", ODD)),
    unclear("Solaris' extended header", lambda: over(pax(pax_records(path=RELEASE), "X"), file("y", DEBIAN))),
    unclear("an extended header of a megabyte and more", lambda: headed(pax_records(comment="x" * 1_200_000), ODD)),
    refused("charset", lambda: headed(pax_records(hdrcharset="BINARY"), ODD)),
    *(judged(f"sparse in form {form}", lambda f=form: over(*sparse(f))) for form in ("old", "0.0", "0.1", "1.0")),  # type: ignore[misc]
)
SHAPES: tuple[Case, ...] = (
    unclear("directory with a body", lambda: over(Entry("srv/x/", kind="5", mode=0o755, body=b"x" * 600), ODD)),
    refused("link with a body", lambda: over(link("srv/x", "y").but(body=member(file("y"))), ODD)),
    unclear("device with a body", lambda: over(Entry("srv/x", kind="3", body=b"x" * 600), ODD)),
    refused(
        "hard link with a body that is a member",
        lambda: over(file("srv/y"), hard_link("srv/x", "srv/y").but(body=member(ODD))),
    ),
    refused(
        "hard link to a symbolic link",
        lambda: over(link("srv/l", "/opt/r"), hard_link("etc/os-release", "srv/l"), file("opt/r", DEBIAN)),
    ),
    refused(
        "hard link to an older layer's symbolic link",
        lambda: image(
            [*good(), link("srv/l", "/opt/r"), file("opt/r", DEBIAN)], [hard_link("etc/os-release", "srv/l")]
        ),
    ),
    cleared(
        "setuid on conda",
        lambda: image([e.but(mode=0o6755) if e.path == CONDA else e for e in good()], evil(), User="worker"),
    ),
    cleared("names in another case", lambda: image(good(), evil("OPT/good"), [folder("Opt/good")])),
    refused(
        "programs in another case",
        lambda: image(
            evil(), [e for e in good() if e.path != CONDA], [program("opt/good/bin/CONDA", programs.conda("4.5.12"))]
        ),
    ),
    cleared("layer twice in a row", lambda: image(layer(*good()), layer(*good()), evil())),
    judged("layer at both ends", lambda: again(layer(*good()), [program(CONDA, programs.conda("4.3.0"))])),
    cleared("layer at both ends, deletion between", lambda: again(layer(*good()), [file("opt/.wh.good")])),
    refused("deletion at both ends", lambda: again(layer(file("opt/.wh.good")), good())),
    cleared("the same content in two compressions", lambda: image(layer(*good()), packed(tar(*good()), TAR), evil())),
    refused("fifty layers", lambda: many(50)),
    cleared("an empty layer", lambda: image(good(), [], evil())),
    refused("foreign layer", foreign),
    refused("foreign layer with an address", lambda: foreign(urls=["http://127.0.0.1:1/x"])),
    refused("a layer whose descriptor has data", lambda: foreign(data="eA==")),
    cleared(
        "programs through links of both kinds",
        lambda: image([*good(), link("a", "opt/good"), link("b", "a/bin")], path=f"/b:{PATH}"),
    ),
)


def _signed(entry: Entry) -> Entry:
    block = bytearray(header(entry))
    block[148:156] = b" " * 8
    return entry.but(checksum=b"%06o\0 " % sum(byte - 256 if byte > 127 else byte for byte in block))


CASES: tuple[Case, ...] = (*ENDS, *COMPRESSIONS, *NUMBERS, *NAMES, *HEADERS, *SHAPES)
