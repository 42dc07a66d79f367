"""Strict JSON: UTF-8, bounded depth, no duplicate members, and no names that only Go takes for known members.

Go ignores the case of member names in structures. So `{"layers": [], "Layers": []}` means different things to a
container runtime and to Python, and `{"MediaType": …}` alone has a media type there and none here. Such documents are
refused (RFC 8259 section 4 leaves duplicate names undefined). Free maps (`annotations`, `Labels`, …) may have names
that differ by case only, because Go keeps both.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from registry.oci.shapes import Shape, folded

MAXIMUM_DEPTH = 64
FREE_MAPS = frozenset({"annotations", "labels", "exposedports", "volumes"})
_SLICE = 1 << 16
"""Bytes split at once; other threads can run between two slices."""
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
    """The text is not strict JSON; the message says where."""


class MembersUnclear(JsonRefused):
    """A member is misspelt, but Go would accept it."""


class _TwinsMet(Exception):
    """An object has two names that differ by case only; its place decides whether that is allowed."""


class _CaseTwins(dict[str, Any]):
    """An object with two names that differ by case only; `twins` is such a pair."""

    twins: tuple[str, str]


def _exact_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        twice = first_twice(name for name, _ in pairs)
        raise JsonRefused(f"member {str(twice)[:80]!r} stands twice: clients would disagree")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = _exact_object(pairs)
    # Folding takes longer than reading, and most objects have no other names than these.
    if not document.keys() <= USUAL_NAMES and len({folded(name) for name in document}) < len(document):
        raise _TwinsMet
    return document


def first_twice(names: Iterable[str]) -> str | None:
    """The first duplicate name; `None` when there is none."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _marked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    try:
        return _object(pairs)
    except _TwinsMet:
        document = dict(pairs)
    last = {folded(name): name for name in document}
    marked = _CaseTwins(document)
    marked.twins = next((name, last[folded(name)]) for name in document if last[folded(name)] != name)
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
_EXACT = _decoder(_exact_object)


def _read(text: str, *, exact: bool) -> Any:
    if exact:
        return _EXACT.decode(text)
    try:
        return _WITHOUT_TWINS.decode(text)
    except _TwinsMet:
        value = _WITH_TWINS.decode(text)
    _refuse_twins(value)
    return value


def is_deeper(raw: bytes, maximum: int) -> bool:
    """Whether brackets outside strings nest deeper than `maximum`; checked before parsing, which recurses.

    Innermost pairs, which are most brackets, are removed first. Balanced text is counted exactly.
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
    """The brackets outside strings, all as those of arrays; takes time linear in the length for any text."""
    if b"\\" in raw:
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Two adjacent quotes open and close a string, or close one and open the next: both can be dropped.
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


def refuse_half_characters(raw: bytes, value: Any) -> None:
    """Refuse an escape of half a surrogate pair: UTF-8 cannot encode it."""
    if b"\\u" not in raw or b"\\ud" not in raw.lower():
        return
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise JsonRefused("a \\u escape is half of a surrogate pair") from None


def loads(raw: bytes, *, maximum_depth: int = MAXIMUM_DEPTH, exact: bool = False) -> Any:
    """Parse strictly.

    Args:
        raw: the text.
        maximum_depth: how deep brackets may nest.
        exact: everybody who reads it keeps to the case of names, as Kubernetes does: two that differ by case only
            are two.

    Raises:
        JsonRefused: not UTF-8, not JSON, nested too deep, a member twice, NaN/Infinity, a huge integer or half a
            character.
    """
    if raw.count(b"[") + raw.count(b"{") > maximum_depth and is_deeper(raw, maximum_depth):
        raise JsonRefused(f"nested deeper than {maximum_depth} levels")
    try:
        value = _read(raw.decode("utf-8"), exact=exact)
    except JsonRefused:
        raise
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise JsonRefused(f"not JSON: {error}") from None
    refuse_half_characters(raw, value)
    return value


def refuse_misspelt(document: Any, shape: Shape) -> None:
    """Refuse misspelt members that Go would take for members of the shape.

    Args:
        document: as `loads` returned it; values of the wrong type are left to the caller.
        shape: the members that container runtimes decode, at every level.

    Raises:
        MembersUnclear: there is one; the message names it and the right spelling.
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
        elif name not in shape.members and (spelling := shape.member_for(name)) is not None:
            problem = f"member {name[:80]!r} would be read as {spelling!r} by container runtimes: spell it so"
            raise MembersUnclear(problem)
