"""Detector `os-release`: the operating system's name and version (os-release(5); lsb-release has the same form).

The text is read, never evaluated. Any small file with one of the `SNIFFED` keys is read as well, because os-release may
be a link to a file of another name.
"""

import re
from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector, Unreadable
from policy.inspection.detectors.shell_text import ShellUnclear, assigned

LIMIT = 64 * 1024
SNIFFED = (b"VERSION_ID=", b"DISTRIB_ID=")
KEYS = frozenset({"ID", "VERSION_ID", "PRETTY_NAME", "DISTRIB_ID", "DISTRIB_RELEASE"})
_PAIRS = (("ID", "VERSION_ID"), ("DISTRIB_ID", "DISTRIB_RELEASE"))
_PLAIN = re.compile(r"[0-9A-Za-z._~+:/-]+")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\([\"$\\`])")


def unquoted(text: str) -> str:
    """A value as a shell reads it, without expansions: `'…'` literal, `"…"` with four escapes, else bare."""
    if len(text) >= 2 and text[0] == text[-1] == "'" and "'" not in text[1:-1]:
        return text[1:-1]
    quoted = _DOUBLE.fullmatch(text)
    return _ESCAPE.sub(r"\1", quoted[1]) if quoted else text


def read(body: bytes) -> Mapping[str, str]:
    """`{"ID", "VERSION_ID", …}` as far as they are set; the last assignment of a key counts.

    Raises:
        Unreadable: a shell that sources the file, as os-release(5) intends, may see other values.
    """
    values: dict[str, str] = {}
    text = body.decode("utf-8", "replace")
    for line in text.split("\n"):
        key, equals, value = line.strip().partition("=")
        if equals and key in KEYS:
            values[key] = unquoted(value)
    if any(all(_PLAIN.fullmatch(values.get(key, "")) for key in pair) for pair in _PAIRS):
        _refuse_other_reading(text, values)
    return values


def _refuse_other_reading(text: str, values: Mapping[str, str]) -> None:
    """Refuse values that a shell reads differently; called for plain words only, because others meet no rule."""
    try:
        seen = assigned(text)
    except ShellUnclear as error:
        raise Unreadable(f"what a shell reads in it cannot be told: {error}") from None
    for key in (key for pair in _PAIRS for key in pair):
        if seen.get(key, "") != values.get(key, ""):
            raise Unreadable(f"a shell reads {seen.get(key, '')!r} for {key}, and its line has {values.get(key, '')!r}")


OS_RELEASE = Detector("os-release", 2, rb"os-release|lsb-release", read, limit=LIMIT)
