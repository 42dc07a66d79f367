"""Detector `os-release`: the operating system's name and version (os-release(5); lsb-release has the same form).

Only text is read, nothing is evaluated. Any small file that carries one of the `KEYS` is read as well, so that a link
to a file of another name is not a blind spot.
"""

import re
from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector

LIMIT = 64 * 1024
SNIFFED = (b"VERSION_ID=", b"DISTRIB_ID=")
KEYS = frozenset({"ID", "VERSION_ID", "PRETTY_NAME", "DISTRIB_ID", "DISTRIB_RELEASE"})
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\([\"$\\`])")


def unquoted(text: str) -> str:
    """A value as a shell would read it, without its expansions: `'…'` literal, `"…"` with four escapes, else bare."""
    if len(text) >= 2 and text[0] == text[-1] == "'" and "'" not in text[1:-1]:
        return text[1:-1]
    quoted = _DOUBLE.fullmatch(text)
    return _ESCAPE.sub(r"\1", quoted[1]) if quoted else text


def read(body: bytes) -> Mapping[str, str]:
    """`{"ID", "VERSION_ID", …}` as far as they are set; the last assignment of a key wins."""
    found: dict[str, str] = {}
    for line in body.decode("utf-8", "replace").split("\n"):
        key, equals, value = line.strip().partition("=")
        if equals and key in KEYS:
            found[key] = unquoted(value)
    return found


OS_RELEASE = Detector("os-release", 1, rb"os-release|lsb-release", read, limit=LIMIT)
