"""Names of members: as paths from the root, and as text for people."""

import re

from policy.inspection.budgets import hostile

_SIMPLE = re.compile(rb"\.{0,2}+[^./\0][^/\0]*+(?:/\.{0,2}+[^./\0][^/\0]*+)*+").fullmatch


def shown(path: bytes) -> str:
    """A path as text for people: control characters and broken UTF-8 escaped, cut after 400 bytes."""
    text = path[:400].decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def cleaned(name: bytes) -> bytes:
    """A member's name from the root, without empty parts and `.`.

    Raises:
        LayerRefused: it climbs with `..`, or carries a NUL.
    """
    if name.startswith(b"./"):
        name = name[2:]
    if _SIMPLE(name):
        return name
    parts = [part for part in name.split(b"/") if part and part != b"."]
    if b".." in parts:
        raise hostile(f"member {shown(name)!r} climbs with '..': unpackers disagree on where it lands")
    path = b"/".join(parts)
    if b"\0" in path:
        raise hostile(f"member {shown(name)!r} carries a NUL in its name")
    return path
