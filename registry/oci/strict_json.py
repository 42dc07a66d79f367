"""JSON as a registry must read it: UTF-8, bounded depth, no member twice, and none that only Go takes for a known one.

Go decodes member names of structures without regard to case, so `{"layers": [], "Layers": []}` means one thing to a
container runtime and another to Python, and `{"MediaType": …}` alone has a media type there and none here; such
documents are refused (RFC 8259 section 4 leaves duplicate names undefined). Members whose value is a free map
(`annotations`, `Labels`, …) may hold names that differ by case only, because there Go keeps both.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from registry.oci.shapes import Shape, folded

MAXIMUM_DEPTH = 64
FREE_MAPS = frozenset({"annotations", "labels", "exposedports", "volumes"})
_SLICE = 1 << 16
"""Bytes that are split at once: between two slices other threads get their turn."""
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_PLAIN = bytes(set(range(256)) - set(b'[]{}"'))
USUAL_NAMES = frozenset(
    {
        "schemaVersion",
        "mediaType",
        "config",
        "layers",
        "manifests",
        "digest",
        "size",
        "annotations",
        "artifactType",
        "subject",
        "platform",
        "os",
        "architecture",
        "variant",
    }
)
"""Members of manifests and descriptors; no two of them differ by case only."""


class JsonRefused(ValueError):
    """The text is not JSON that every client reads alike; the message says where."""


class MembersUnclear(JsonRefused):
    """A member is not spelled as it must be, and Go would take it nevertheless."""


class _TwinsMet(Exception):
    """An object has two names that differ by case only; whether that is allowed depends on where it stands."""


class _CaseTwins(dict[str, Any]):
    """An object two of whose names differ by case only; `twins` are such a pair."""

    twins: tuple[str, str]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = first_twice(name for name, _ in pairs)
        raise JsonRefused(f"member {str(twice)[:80]!r} stands twice: clients would disagree")
    # Folding takes longer than reading, and most objects have no other names than these.
    if not found.keys() <= USUAL_NAMES and len({folded(name) for name in found}) < len(found):
        raise _TwinsMet
    return found


def first_twice(names: Iterable[str]) -> str | None:
    """The first name that was there before; `None` when each stands once."""
    met: set[str] = set()
    for name in names:
        if name in met:
            return name
        met.add(name)
    return None


def _marked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    try:
        return _object(pairs)
    except _TwinsMet:
        found = dict(pairs)
    last = {folded(name): name for name in found}
    marked = _CaseTwins(found)
    marked.twins = next((name, last[folded(name)]) for name in found if last[folded(name)] != name)
    return marked


def _refuse_twins(value: Any, member: str = "") -> None:
    if isinstance(value, _CaseTwins) and folded(member) not in FREE_MAPS:
        first, second = value.twins
        raise MembersUnclear(f"members {first[:80]!r} and {second[:80]!r} differ by case only: clients would disagree")
    if isinstance(value, dict):
        for name, item in value.items():
            _refuse_twins(item, name)
    elif isinstance(value, list):
        for item in value:
            _refuse_twins(item)


def _refuse_constant(name: str) -> Any:
    raise JsonRefused(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise JsonRefused("an integer has more than 20 digits")
    return int(digits)


def _decoder(read_object: Callable[[list[tuple[str, Any]]], Any]) -> json.JSONDecoder:
    return json.JSONDecoder(object_pairs_hook=read_object, parse_constant=_refuse_constant, parse_int=_integer)


_WITHOUT_TWINS = _decoder(_object)
_WITH_TWINS = _decoder(_marked_object)


def _read(text: str) -> Any:
    try:
        return _WITHOUT_TWINS.decode(text)
    except _TwinsMet:
        value = _WITH_TWINS.decode(text)
    _refuse_twins(value)
    return value


def _is_deeper(raw: bytes, maximum: int) -> bool:
    """Whether brackets outside strings nest deeper, counted so that the parser never recurses without bound.

    Innermost pairs are taken away first, most brackets being theirs. What is balanced is counted exactly.
    """
    brackets = _outside_strings(raw)
    left = brackets.replace(b"[]", b"")
    depth = int(len(left) < len(brackets))
    for bracket in left:
        if depth > maximum:
            return True
        depth += 1 if bracket == _OPENS else -1
    return depth > maximum


_OPENS = ord("[")


def _outside_strings(raw: bytes) -> bytes:
    """The brackets outside strings, all as those of arrays, in time that the length bounds, whatever the text."""
    if b"\\" in raw:
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Two quotes that stand together open and close a string, or close one and open the next: neither matters here.
    text = raw.translate(_BRACKETS, _PLAIN).replace(b'""', b"")
    if b'"' not in text:
        return text
    outside: list[bytes] = []
    inside = 0
    for start in range(0, len(text), _SLICE):
        parts = text[start : start + _SLICE].split(b'"')
        outside += parts[inside::2]
        inside ^= (len(parts) - 1) & 1
    return b"".join(outside)


def _refuse_half_characters(raw: bytes, value: Any) -> None:
    """Half of a surrogate pair, as an escape, is no character: no text in UTF-8 can hold it."""
    if b"\\u" not in raw or b"\\ud" not in raw.lower():
        return
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise JsonRefused("a \\u escape is half of a surrogate pair") from None


def loads(raw: bytes, *, maximum_depth: int = MAXIMUM_DEPTH) -> Any:
    """Parse strictly.

    Raises:
        JsonRefused: not UTF-8, not JSON, nested too deep, a member twice, NaN/Infinity, a huge integer or half a
            character.
    """
    if raw.count(b"[") + raw.count(b"{") > maximum_depth and _is_deeper(raw, maximum_depth):
        raise JsonRefused(f"nested deeper than {maximum_depth} levels")
    try:
        value = _read(raw.decode("utf-8"))
    except JsonRefused:
        raise
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise JsonRefused(f"not JSON: {error}") from None
    _refuse_half_characters(raw, value)
    return value


def refuse_misspelt(document: Any, shape: Shape) -> None:
    """Refuse members that Go would take for known ones of the shape though they are not spelled as these are.

    Args:
        document: as `loads` gave it; what is not an object or a list of objects where the shape has members is left
            to whoever reads it.
        shape: the members that container runtimes decode, at every level.

    Raises:
        MembersUnclear: there is one; the message names it and its right spelling.
    """
    if isinstance(document, list):
        for item in document:
            refuse_misspelt(item, shape)
    if not isinstance(document, dict):
        return
    for name, value in document.items():
        below = shape.members.get(name)
        if below is not None:
            refuse_misspelt(value, below)
        elif name not in shape.members and (known := shape.meant(name)) is not None:
            raise MembersUnclear(f"member {name[:80]!r} would be read as {known!r} by container runtimes: spell it so")
