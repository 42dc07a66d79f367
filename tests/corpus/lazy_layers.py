"""Layers with a table of contents, true or false: zstd:chunked as podman writes it, eStargz as snapshotters want it.

`zstd_chunked` and `estargz` make a whole layer out of entries, with the annotations that a manifest gives it; `lie`
changes the table's entries before it is written, so that the tar stays what it is and the annotations still fit.
"""

import base64
import gzip
import hashlib
import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from policy.inspection.archive import pax
from policy.inspection.archive.zstandard import zstd
from tests.corpus.builders import GZIP, ZSTD, Layer, diff_id
from tests.corpus.tarballs import (
    END,
    Entry,
    file,
    header,
    member,
    padded,
)

Table = list[dict[str, Any]]
Lie = Callable[[Table], object]
INDEX = "stargz.index.json"
TOC_DIGEST = "containerd.io/snapshot/stargz/toc.digest"
CHECKSUM = "io.github.containers.zstd-chunked.manifest-checksum"
POSITION = "io.github.containers.zstd-chunked.manifest-position"
OLD_CHECKSUM = CHECKSUM.replace("io.github.", "io.")
OLD_POSITION = POSITION.replace("io.github.", "io.")
_KINDS = {"0": "reg", "1": "hardlink", "2": "symlink", "3": "char", "4": "block", "5": "dir", "6": "fifo"}


def sha256(content: bytes) -> str:
    """A digest."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def unchanged(_table: Table) -> None:
    """No lie."""


@dataclass
class Writer:
    """Writes a tar so that each content, or each `chunk` bytes of it, is a frame of its own."""

    pack: Callable[[bytes], bytes]
    chunk: int
    ends: bool
    blob: bytes = b""
    raw: bytes = b""
    table: Table = field(default_factory=list)
    _waiting: bytes = b""

    def flush(self) -> int:
        """Close the frame; the byte at which the next one begins."""
        if self._waiting:
            self.blob += self.pack(self._waiting)
            self.raw += self._waiting
            self._waiting = b""
        return len(self.blob)

    def write(self, content: bytes) -> None:
        """Go on with the tar."""
        self._waiting += content

    def add(self, entries: Sequence[Entry]) -> None:
        """All members, extended headers taken along."""
        xattrs: dict[str, str] = {}
        for entry in entries:
            if entry.kind == "x":
                self.write(member(entry))
                xattrs = _xattrs(entry.body)
                continue
            self.write(header(entry))
            self.table += self._listed(entry, xattrs)
            self.write(padded(entry.body)[len(entry.body) :])
            xattrs = {}

    def _listed(self, entry: Entry, xattrs: dict[str, str]) -> Table:
        name = entry.name if isinstance(entry.name, str) else entry.name.decode("utf-8", "replace")
        whole: dict[str, Any] = {"type": _KINDS[entry.kind], "name": name, "mode": entry.mode}
        if entry.link:
            whole["linkName"] = entry.link
        if entry.kind in "34" and 329 in entry.change:
            whole |= {"devMajor": int(entry.change[329][:7], 8), "devMinor": int(entry.change[337][:7], 8)}
        if xattrs:
            whole["xattrs"] = xattrs
        if not entry.body:
            return [whole]
        whole |= {"size": len(entry.body), "digest": sha256(entry.body)}
        step = self.chunk or len(entry.body)
        listed: Table = []
        for at in range(0, len(entry.body), step):
            part = entry.body[at : at + step]
            place = {"offset": self.flush(), "chunkDigest": sha256(part), "chunkSize": len(part)}
            self.write(part)
            listed.append(place if not at else place | {"type": "chunk", "name": name, "chunkOffset": at})
        return [whole | listed[0] | ({"endOffset": self.flush()} if self.ends else {}), *listed[1:]]


def _xattrs(records: bytes) -> dict[str, str]:
    found = {key.decode().removeprefix("SCHILY.xattr."): value for key, value in pax.records(records).items()}
    return {key: base64.b64encode(value).decode() for key, value in found.items()}


def skippable(content: bytes) -> bytes:
    """A zstd frame that decoders pass over."""
    return b"\x50\x2a\x4d\x18" + struct.pack("<I", len(content)) + content


def zstd_footer(offset: int, length: int, unpacked: int, form: int = 64) -> bytes:
    """The last frame of a zstd:chunked layer: 64 bytes as newer podman writes it, 40 as older ones do."""
    if form == 40:
        return skippable(struct.pack("<4Q", offset, length, unpacked, 1) + b"GnUlInUx")
    return skippable(struct.pack("<7Q", offset, length, unpacked, 1, 0, 0, 0) + b"GNUlInUx")


def stargz_footer(offset: int, form: int = 51) -> bytes:
    """The last gzip member of an eStargz layer: 51 bytes, or 47 in the legacy form."""
    extra = f"{offset:016x}STARGZ".encode()
    if form == 51:
        extra = b"SG" + struct.pack("<H", len(extra)) + extra
    begin = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + struct.pack("<H", len(extra))
    return begin + extra + b"\x01\0\0\xff\xff" + bytes(8)


def as_table(entries: Table, **outer: Any) -> bytes:
    """The table's JSON."""
    return json.dumps({"version": 1, "entries": entries} | outer).encode()


def zstd_chunked(
    entries: Sequence[Entry], lie: Lie = unchanged, *, chunk: int = 0, form: int = 64, text: bytes = b""
) -> Layer:
    """A zstd:chunked layer; `text` is the table's JSON where it is to be another than that of the entries."""
    writer = Writer(zstd.compress, chunk, ends=True)
    writer.add(entries)
    writer.write(END)
    offset = writer.flush() + 8
    lie(writer.table)
    raw = text or as_table(writer.table)
    packed = zstd.compress(raw)
    blob = writer.blob + skippable(packed) + zstd_footer(offset, len(packed), len(raw), form)
    return Layer(blob, ZSTD, diff_id(writer.raw), annotations(offset, packed, raw))


def annotations(offset: int, packed: bytes, raw: bytes) -> dict[str, str]:
    """What a manifest says of a zstd:chunked layer, in the words of podman 4 and of later ones."""
    checksum, position = sha256(packed), f"{offset}:{len(packed)}:{len(raw)}:1"
    return {CHECKSUM: checksum, POSITION: position, OLD_CHECKSUM: checksum, OLD_POSITION: position}


def estargz(
    entries: Sequence[Entry], lie: Lie = unchanged, *, chunk: int = 0, form: int = 51, text: bytes = b""
) -> Layer:
    """An eStargz layer with the landmark that real ones begin with."""
    writer = Writer(lambda raw: gzip.compress(raw, 1, mtime=0), chunk, ends=False)
    writer.add([file(".no.prefetch.landmark", b"\x0f"), *entries])
    offset = writer.flush()
    lie(writer.table)
    raw = text or as_table(writer.table)
    writer.write(member(file(INDEX, raw)) + END)
    writer.flush()
    return Layer(writer.blob + stargz_footer(offset, form), GZIP, diff_id(writer.raw), {TOC_DIGEST: sha256(raw)})
