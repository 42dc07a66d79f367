"""Detector `os-release`: the operating system's name and version (os-release(5); lsb-release has the same form).

Only text is read, nothing is evaluated. Any small file that carries one of the `KEYS` is read as well, so that a link
to a file of another name is not a blind spot.
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
    """A value as a shell would read it, without its expansions: `'…'` literal, `"…"` with four escapes, else bare."""
    if len(text) >= 2 and text[0] == text[-1] == "'" and "'" not in text[1:-1]:
        return text[1:-1]
    quoted = _DOUBLE.fullmatch(text)
    return _ESCAPE.sub(r"\1", quoted[1]) if quoted else text


def read(body: bytes) -> Mapping[str, str]:
    """`{"ID", "VERSION_ID", …}` as far as they are set; the last assignment of a key wins.

    Raises:
        Unreadable: a shell that reads the file (os-release(5) is made for that) sees something else, or may.
    """
    found: dict[str, str] = {}
    text = body.decode("utf-8", "replace")
    for line in text.split("\n"):
        key, equals, value = line.strip().partition("=")
        if equals and key in KEYS:
            found[key] = unquoted(value)
    if any(all(_PLAIN.fullmatch(found.get(key, "")) for key in pair) for pair in _PAIRS):
        _refuse_other_reading(text, found)
    return found


def _refuse_other_reading(text: str, found: Mapping[str, str]) -> None:
    """What is no plain word meets no rule anyway, and is told as it stands."""
    try:
        seen = assigned(text)
    except ShellUnclear as error:
        raise Unreadable(f"what a shell reads in it cannot be told: {error}") from None
    for key in (key for pair in _PAIRS for key in pair):
        if seen.get(key, "") != found.get(key, ""):
            raise Unreadable(f"a shell reads {seen.get(key, '')!r} for {key}, and its line has {found.get(key, '')!r}")


OS_RELEASE = Detector("os-release", 2, rb"os-release|lsb-release", read, limit=LIMIT)
