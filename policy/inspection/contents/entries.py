"""The entries of a table of contents, read strictly and one at a time.

Go readers fold the case of member names, take the last of two equal ones and put U+FFFD where text is no UTF-8;
podman's stops at an empty name. What they would so read in another way than written here is refused, and so is every
member that no reader known here has: it may mean something to one that is not.
"""

import json
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from policy.inspection.archive.names import shown
from policy.inspection.contents.footers import Untrue

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
        offset: byte of the blob where the compressed bytes begin; `end_offset` where they end (0: not told).
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
    """The entries of one table, in its order, with a look ahead."""

    def __init__(self, raw: bytes) -> None:
        """Take the table's JSON.

        Raises:
            Untrue: it is not text in UTF-8.
        """
        try:
            self._text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Untrue("it is not text in UTF-8") from None
        self._found = self._entries()
        self.ahead: TableEntry | None = next(self._found, None)

    def take(self) -> TableEntry | None:
        """The next entry; `None` after the last.

        Raises:
            Untrue: what follows is not what every reader takes for the same.
        """
        taken = self.ahead
        self.ahead = next(self._found, None)
        return taken

    def _entries(self) -> Iterator[TableEntry]:
        """Walk the outer object, in whatever order its members stand."""
        met: set[str] = set()
        at = self._expect("{", 0)
        while True:
            name, at = self._value(at)
            if type(name) is not str or name not in _TABLE or name in met:
                raise Untrue(f"it has a member {str(name)[:80]!r} that it should not have, or has twice")
            met.add(name)
            at = self._expect(":", at)
            if name == "entries" and self._text[at : at + 1] == "[":
                at = yield from self._list(at + 1)
            else:
                value, at = self._value(at)
                _check_outer(name, value)
            at, more = self._separator(at, "}")
            if not more:
                break
        if at != len(self._text) or "version" not in met:
            raise Untrue("it goes on after its end, or does not tell its version")

    def _list(self, at: int) -> Generator[TableEntry, None, int]:
        at = self._spaces(at)
        if self._text[at : at + 1] == "]":
            return self._spaces(at + 1)
        more = True
        while more:
            value, at = self._value(at)
            yield _entry(value)
            at, more = self._separator(at, "]")
        return at

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            value, at = _DECODER.raw_decode(self._text, self._spaces(at))
        except (ValueError, RecursionError):
            raise Untrue(f"it is not the JSON that every reader reads alike, from character {at} on") from None
        return value, self._spaces(at)

    def _spaces(self, at: int) -> int:
        found = _SPACE(self._text, at)
        return found.end() if found else at

    def _expect(self, sign: str, at: int) -> int:
        at = self._spaces(at)
        if self._text[at : at + 1] != sign:
            raise Untrue(f"it is not the JSON of a table of contents: no {sign!r} stands at character {at}")
        return self._spaces(at + 1)

    def _separator(self, at: int, end: str) -> tuple[int, bool]:
        if self._text[at : at + 1] == end:
            return self._spaces(at + 1), False
        return self._expect(",", at), True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _refused(_text: str) -> Any:
    raise ValueError


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refused, parse_float=_refused)


def _check_outer(name: str, value: Any) -> None:
    if name == "version" and (type(value) is not int or value != _VERSION):
        raise Untrue(f"its version is {str(value)[:40]}: only version {_VERSION} is known")
    if name == "tarSplitDigest" and not isinstance(value, str):
        raise Untrue("its tarSplitDigest is not text")
    if name == "entries" and value is not None:
        raise Untrue("its entries are not a list")


def _entry(value: Any) -> TableEntry:
    if not isinstance(value, dict):
        raise Untrue("an entry of it is not an object")
    found = TableEntry()
    for key, item in value.items():
        if key in _TEXTS and type(item) is str:
            setattr(found, _TEXTS[key], _clean(item))
        elif key in _NUMBERS and type(item) is int and 0 <= item <= _LARGEST:
            setattr(found, _NUMBERS[key], item)
        elif key == "xattrs" and isinstance(item, dict):
            found.xattrs = {_clean(name): _from_base64(name, text) for name, text in item.items()}
        elif key not in _UNUSED or type(item) is not str:
            raise Untrue(f"entry {_told(value)!r} has a member {key[:80]!r} that no reader is known to take so")
    return found


def _clean(text: str) -> str:
    """Text that can be UTF-8, as Go would have kept it."""
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Untrue("a name or text in it is half of a surrogate pair")
    return text


def _from_base64(name: str, text: Any) -> bytes:
    try:
        return b64decode(text, validate=True) if name and isinstance(text, str) else _refused(name)
    except (ValueError, NotBase64):
        raise Untrue(f"an extended attribute {name[:80]!r} in it is not in base64") from None


def _told(value: dict[str, Any]) -> str:
    return shown(str(value.get("name", "")).encode("utf-8", "replace"))
