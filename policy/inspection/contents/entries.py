"""The entries of a table of contents, read strictly and one at a time.

Go readers fold the case of member names, take the last of two equal ones and replace invalid UTF-8 by U+FFFD; podman's
stops at an empty name. Anything they would read differently is refused, and so is every unknown member: another reader
may understand it.
"""

import json
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from policy.inspection.archive.names import shown
from policy.inspection.contents.footers import TocMismatch

CHUNK = "chunk"
_TEXTS = {
    "name": "name",
    "type": "kind",
    "linkName": "link",
    "digest": "digest",
    "chunkDigest": "chunk_digest",
    "chunkType": "chunk_type",
}
_NUMBERS = {
    "size": "size",
    "mode": "mode",
    "uid": "uid",
    "gid": "gid",
    "devMajor": "major",
    "devMinor": "minor",
    "offset": "offset",
    "endOffset": "end_offset",
    "chunkSize": "chunk_size",
    "chunkOffset": "chunk_offset",
    "innerOffset": "inner_offset",
}
_UNUSED = frozenset({"modtime", "accesstime", "changetime", "userName", "groupName"})
_TABLE = frozenset({"version", "entries", "tarSplitDigest"})
_SPACE = re.compile(r"[ \t\r\n]*").match
_LARGEST = (1 << 63) - 1
_VERSION = 1


@dataclass(slots=True)
class TableEntry:
    """One entry: a member of the tar, or a further chunk of the file before it.

    Attributes:
        kind: `reg`, `dir`, `symlink`, `hardlink`, `char`, `block`, `fifo` or `chunk`.
        offset: byte of the blob where the compressed bytes begin; `end_offset` where they end (0: not given).
        chunk_size: bytes of the file in this chunk; 0: all that remain.
        chunk_offset: where they belong in the file.
        inner_offset: bytes of the frame to leave out before them.
        chunk_type: "" or `zeros`.
    """

    name: str = ""
    kind: str = ""
    link: str = ""
    size: int = 0
    mode: int = 0
    uid: int = 0
    gid: int = 0
    major: int = 0
    minor: int = 0
    digest: str = ""
    offset: int = 0
    end_offset: int = 0
    chunk_size: int = 0
    chunk_offset: int = 0
    chunk_digest: str = ""
    chunk_type: str = ""
    inner_offset: int = 0
    xattrs: dict[str, bytes] = field(default_factory=dict)


class TableEntries:
    """The entries of one table in order, with one entry of lookahead."""

    def __init__(self, raw: bytes) -> None:
        """Take the table's JSON.

        Raises:
            TocMismatch: it is not text in UTF-8.
        """
        try:
            self._text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise TocMismatch("it is not text in UTF-8") from None
        self._iterator = self._entries()
        self.ahead: TableEntry | None = next(self._iterator, None)

    def take(self) -> TableEntry | None:
        """The next entry; `None` after the last.

        Raises:
            TocMismatch: readers would differ on what follows.
        """
        taken = self.ahead
        self.ahead = next(self._iterator, None)
        return taken

    def _entries(self) -> Iterator[TableEntry]:
        """Read the outer object, whose members may come in any order."""
        met: set[str] = set()
        position = self._expect("{", 0)
        while True:
            name, position = self._value(position)
            if type(name) is not str or name not in _TABLE or name in met:
                raise TocMismatch(f"it has a member {str(name)[:80]!r} that it should not have, or has twice")
            met.add(name)
            position = self._expect(":", position)
            if name == "entries" and self._text[position : position + 1] == "[":
                position = yield from self._list(position + 1)
            else:
                value, position = self._value(position)
                _check_outer(name, value)
            position, goes_on = self._separator(position, "}")
            if not goes_on:
                break
        if position != len(self._text) or "version" not in met:
            raise TocMismatch("it goes on after its end, or does not tell its version")

    def _list(self, position: int) -> Generator[TableEntry, None, int]:
        position = self._spaces(position)
        if self._text[position : position + 1] == "]":
            return self._spaces(position + 1)
        goes_on = True
        while goes_on:
            value, position = self._value(position)
            yield _entry(value)
            position, goes_on = self._separator(position, "]")
        return position

    def _value(self, position: int) -> tuple[Any, int]:
        try:
            value, position = _DECODER.raw_decode(self._text, self._spaces(position))
        except (ValueError, RecursionError):
            raise TocMismatch(
                f"it is not the JSON that every reader reads alike, from character {position} on"
            ) from None
        return value, self._spaces(position)

    def _spaces(self, position: int) -> int:
        match = _SPACE(self._text, position)
        return match.end() if match else position

    def _expect(self, sign: str, position: int) -> int:
        position = self._spaces(position)
        if self._text[position : position + 1] != sign:
            raise TocMismatch(f"it is not the JSON of a table of contents: no {sign!r} stands at character {position}")
        return self._spaces(position + 1)

    def _separator(self, position: int, end: str) -> tuple[int, bool]:
        if self._text[position : position + 1] == end:
            return self._spaces(position + 1), False
        return self._expect(",", position), True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError
    return document


def _refused(_text: str) -> Any:
    raise ValueError


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refused, parse_float=_refused)


def _check_outer(name: str, value: Any) -> None:
    if name == "version" and (type(value) is not int or value != _VERSION):
        raise TocMismatch(f"its version is {str(value)[:40]}: only version {_VERSION} is known")
    if name == "tarSplitDigest" and not isinstance(value, str):
        raise TocMismatch("its tarSplitDigest is not text")
    if name == "entries" and value is not None:
        raise TocMismatch("its entries are not a list")


def _entry(value: Any) -> TableEntry:
    if not isinstance(value, dict):
        raise TocMismatch("an entry of it is not an object")
    entry = TableEntry()
    for key, item in value.items():
        if key in _TEXTS and type(item) is str:
            setattr(entry, _TEXTS[key], _clean(item))
        elif key in _NUMBERS and type(item) is int and 0 <= item <= _LARGEST:
            setattr(entry, _NUMBERS[key], item)
        elif key == "xattrs" and isinstance(item, dict):
            entry.xattrs = {_clean(name): _from_base64(name, text) for name, text in item.items()}
        elif key not in _UNUSED or type(item) is not str:
            raise TocMismatch(f"entry {_name_of(value)!r} has a member {key[:80]!r} that no reader is known to take so")
    return entry


def _clean(text: str) -> str:
    """The text, refused when it has half of a surrogate pair, which UTF-8 cannot encode."""
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise TocMismatch("a name or text in it is half of a surrogate pair")
    return text


def _from_base64(name: str, text: Any) -> bytes:
    try:
        return b64decode(text, validate=True) if name and isinstance(text, str) else _refused(name)
    except (ValueError, NotBase64):
        raise TocMismatch(f"an extended attribute {name[:80]!r} in it is not in base64") from None


def _name_of(value: dict[str, Any]) -> str:
    return shown(str(value.get("name", "")).encode("utf-8", "replace"))
