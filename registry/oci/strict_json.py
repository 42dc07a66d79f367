"""JSON as a registry must read it: UTF-8, bounded depth, no member twice, not even in another case.

Go decodes member names of structures without regard to case, so `{"layers": [], "Layers": []}` means one thing to a
container runtime and another to Python; such a document is refused (RFC 8259 section 4 leaves duplicate names
undefined). Members whose value is a free map (`annotations`, `Labels`, …) may hold names that differ by case only,
because there Go keeps both.
"""

import json
from collections.abc import Callable
from typing import Any

MAXIMUM_DEPTH = 64
FREE_MAPS = frozenset({"annotations", "labels", "exposedports", "volumes"})
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


class _TwinsMet(Exception):
    """An object has two names that differ by case only; whether that is allowed depends on where it stands."""


class _CaseTwins(dict[str, Any]):
    """An object two of whose names differ by case only; `twins` are such a pair."""

    twins: tuple[str, str]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise JsonRefused(f"member {twice[:80]!r} stands twice: clients would disagree")
    # Folding takes longer than reading, and most objects have no other names than these.
    if not found.keys() <= USUAL_NAMES and len({name.casefold() for name in found}) < len(found):
        raise _TwinsMet
    return found


def _marked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    try:
        return _object(pairs)
    except _TwinsMet:
        found = dict(pairs)
    folded = {name.casefold(): name for name in found}
    marked = _CaseTwins(found)
    marked.twins = next((name, folded[name.casefold()]) for name in found if folded[name.casefold()] != name)
    return marked


def _refuse_twins(value: Any, member: str = "") -> None:
    if isinstance(value, _CaseTwins) and member.casefold() not in FREE_MAPS:
        first, second = value.twins
        raise JsonRefused(f"members {first[:80]!r} and {second[:80]!r} differ by case only: clients would disagree")
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


def _depth(raw: bytes) -> int:
    """The deepest nesting, counted over bytes outside strings, so that the parser never recurses without bound."""
    depth = deepest = 0
    in_string = escaped = False
    for byte in raw:
        if escaped:
            escaped = False
        elif in_string:
            escaped = byte == 0x5C
            in_string = byte != 0x22
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


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
    if raw.count(b"[") + raw.count(b"{") > maximum_depth and _depth(raw) > maximum_depth:
        raise JsonRefused(f"nested deeper than {maximum_depth} levels")
    try:
        value = _read(raw.decode("utf-8"))
    except JsonRefused:
        raise
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise JsonRefused(f"not JSON: {error}") from None
    _refuse_half_characters(raw, value)
    return value
