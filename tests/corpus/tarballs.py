"""Tar archives made byte by byte, with every quirk an archive can have."""

from dataclasses import dataclass, field, replace
from typing import Self

BLOCK = 512
END = bytes(2 * BLOCK)


@dataclass(frozen=True)
class Entry:
    """One member, or bytes that stand for themselves.

    Attributes:
        name: as stored.
        kind: the type flag.
        body: the stored body.
        mode: permission bits.
        link: target of a link.
        form: `ustar`, `gnu`, `v7` or `pax` (a long name then travels in an extended header).
        size: the size field, when it is to differ from the body's length.
        raw: written as it is instead of a header and a body.
        change: bytes to put into the finished header, by offset; the checksum is made anew.
        checksum: the checksum field, when it is to be wrong.
    """

    name: str | bytes = ""
    kind: str = "0"
    body: bytes = b""
    mode: int = 0o644
    link: str | bytes = ""
    form: str = "ustar"
    size: int | bytes | None = None
    raw: bytes | None = None
    change: dict[int, bytes] = field(default_factory=dict)
    checksum: bytes | None = None

    @property
    def path(self) -> str:
        """The name as text."""
        return self.name if isinstance(self.name, str) else self.name.decode()

    def but(self, **changes: object) -> Self:
        """The same entry with some attributes changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def file(name: str | bytes, body: bytes | str = b"", mode: int = 0o644) -> Entry:
    """A regular file."""
    return Entry(name, body=body.encode() if isinstance(body, str) else body, mode=mode)


def program(name: str | bytes, body: bytes | str = b"") -> Entry:
    """A regular file with execute bits."""
    return file(name, body, 0o755)


def folder(name: str | bytes) -> Entry:
    """A directory."""
    slash = b"/" if isinstance(name, bytes) else "/"
    return Entry(name + slash, kind="5", mode=0o755)  # type: ignore[operator]


def link(name: str | bytes, target: str | bytes) -> Entry:
    """A symbolic link."""
    return Entry(name, kind="2", link=target, mode=0o777)


def hard_link(name: str | bytes, target: str | bytes, mode: int = 0o644) -> Entry:
    """A hard link; its mode is given to the file that it names."""
    return Entry(name, kind="1", link=target, mode=mode)


def whiteout(path: str) -> Entry:
    """What deletes a path of older layers."""
    parent, _, base = path.rpartition("/")
    return file(f"{parent}/.wh.{base}" if parent else f".wh.{base}")


def opaque(path: str) -> Entry:
    """What deletes the older children of a directory."""
    return file(f"{path}/.wh..wh..opq" if path else ".wh..wh..opq")


def device(name: str, kind: str = "3") -> Entry:
    """A character device (1, 3), a block device or a FIFO."""
    return Entry(name, kind=kind, change={329: b"0000001\0", 337: b"0000003\0"})


def padded(body: bytes) -> bytes:
    """A body filled up to whole blocks."""
    return body + bytes(-len(body) % BLOCK)


def header(entry: Entry) -> bytes:
    """One header block."""
    name, target = _bytes(entry.name), _bytes(entry.link)
    prefix = b""
    if entry.form in {"ustar", "pax"} and len(name) > 100:
        prefix, name = _split(name)
    size = len(entry.body) if entry.size is None else entry.size
    magic = {"ustar": b"ustar\x0000", "pax": b"ustar\x0000", "gnu": b"ustar  \0", "v7": bytes(8)}[entry.form]
    block = bytearray(
        name[:100].ljust(100, b"\0")
        + b"%07o\0" % entry.mode
        + b"%07o\0" % 0 * 2
        + (size if isinstance(size, bytes) else b"%011o\0" % size)
        + b"%011o\0" % 1562803200
        + b" " * 8
        + entry.kind.encode("latin-1")
        + target[:100].ljust(100, b"\0")
        + magic
        + bytes(80)
        + prefix.ljust(155, b"\0")
        + bytes(12)
    )
    for at, change in entry.change.items():
        block[at : at + len(change)] = change
    block[148:156] = entry.checksum or b"%06o\0 " % sum(block)
    return bytes(block)


def _split(name: bytes) -> tuple[bytes, bytes]:
    at = name.rfind(b"/", 0, 155)
    return (name[:at], name[at + 1 :]) if at > 0 and len(name) - at <= 101 else (b"", name)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def pax_records(**values: str | bytes) -> bytes:
    """Records of an extended header; `GNU__sparse__name` stands for `GNU.sparse.name`."""
    return b"".join(pax_record(name.replace("__", ".").encode(), _bytes(value)) for name, value in values.items())


def pax_record(key: bytes, value: bytes) -> bytes:
    """`LENGTH KEY=VALUE` and a line end, the length counting itself."""
    rest = b" " + key + b"=" + value + b"\n"
    size = len(rest) + len(str(len(rest)))
    size = len(rest) + len(str(size))
    return str(size).encode() + rest


def pax(records: bytes, kind: str = "x") -> Entry:
    """An extended header."""
    return Entry("PaxHeaders/0", kind=kind, body=records)


def global_pax(name: str = "pax_global_header", records: bytes = b"16 comment=0123\n") -> Entry:
    """A global extended header: `git archive` writes one of this name."""
    return Entry(name, kind="g", body=records)


def long_name(name: str | bytes, kind: str = "L") -> Entry:
    """GNU's long name (L) or long link target (K) for the next member."""
    return Entry("././@LongLink", kind=kind, body=_bytes(name) + b"\0", form="gnu")


def member(entry: Entry) -> bytes:
    """A header and its body; long names in front where the form asks for it."""
    if entry.raw is not None:
        return entry.raw
    name, target = _bytes(entry.name), _bytes(entry.link)
    front = b""
    if entry.form == "pax" and (len(name) > 100 or len(target) > 100):
        front = member(pax(pax_records(path=name, linkpath=target)))
    if entry.form == "gnu" and entry.kind not in "LK":
        front += member(long_name(name)) if len(name) > 100 else b""
        front += member(long_name(target, "K")) if len(target) > 100 else b""
    return front + header(entry) + padded(entry.body)


def tar(*entries: Entry, end: bytes = END) -> bytes:
    """A whole archive."""
    return b"".join(member(entry) for entry in entries) + end
