"""Extended headers of the pax format: lines `LENGTH KEY=VALUE` (POSIX.1-2017, pax, "pax Extended Header").

They are read as Go's archive/tar does, on which every tool that unpacks images is built: an empty value removes the
key, and global headers are ignored. A global header that would rename or resize members is therefore refused.
"""

from collections.abc import Mapping

from policy.inspection.budgets import damaged, hostile

PATH = b"path"
LINK = b"linkpath"
SIZE = b"size"
UID = b"uid"
GID = b"gid"
ATTRIBUTE = b"xattr."
"""In the keys of extended attributes: `SCHILY.xattr.NAME` (star, GNU, Go) and `LIBARCHIVE.xattr.NAME`."""
SPARSE = b"GNU.sparse."
SPARSE_NAME = SPARSE + b"name"
SPARSE_MAP = SPARSE + b"map"
_NO_NUL = frozenset({PATH, LINK, b"uname", b"gname"})
_SPARSE_PAIR = (SPARSE + b"offset", SPARSE + b"numbytes")


def records(raw: bytes) -> dict[bytes, bytes]:
    """The records of one extended header; the last of equal keys counts.

    The repeated offset and numbytes records of sparse format 0.0 become one `GNU.sparse.map`.

    Raises:
        LayerRefused: a record whose length is wrong, that has no key, or that carries a NUL where none may be.
    """
    values: dict[bytes, bytes] = {}
    pairs: list[bytes] = []
    position = 0
    while position < len(raw):
        key, value, position = _record(raw, position)
        if key in _SPARSE_PAIR:
            if key != _SPARSE_PAIR[len(pairs) % 2] or b"," in value:
                raise damaged("a pax header lists sparse regions out of order")
            pairs.append(value)
        else:
            values[key] = value
    if pairs:
        values[SPARSE_MAP] = b",".join(pairs)
    return {key: value for key, value in values.items() if value}


def _record(raw: bytes, start: int) -> tuple[bytes, bytes, int]:
    space = raw.find(b" ", start, start + 21)
    digits = raw[start:space] if space > start else b""
    if not digits.isdigit():
        raise damaged("a pax header has a record without a length")
    end = start + int(digits)
    if end > len(raw) or end <= space + 1 or raw[end - 1 : end] != b"\n":
        raise damaged("a pax header has a record of a wrong length")
    key, equals, value = raw[space + 1 : end - 1].partition(b"=")
    if not equals or not key or b"\0" in key or (key in _NO_NUL and b"\0" in value):
        raise damaged("a pax header has a record without a key, or with a NUL where none may be")
    return key, value, end


def refuse_global(values: Mapping[bytes, bytes]) -> None:
    """Refuse a global header that some readers would apply to every member and others ignore.

    Raises:
        LayerRefused: it names a path, a link target, a size or sparse regions.
    """
    for key in values:
        if key in {PATH, LINK, SIZE} or key.startswith(SPARSE):
            shown = key.decode("utf-8", "replace")
            raise hostile(f"a global pax header sets {shown!r}: unpackers disagree on what it means")
