"""The WWW-Authenticate fields of a registry's 401 (RFC 9110 section 11.6.1; distribution's token authentication)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_SCHEME = re.compile(r"(?:^|,)\s*(basic|bearer)(?=\s|,|$)", re.IGNORECASE)
_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to sign in.

    Attributes:
        scheme: `basic` or `bearer`.
        parameters: by name in lower case: `realm`, `service`, `scope`, `error`.
    """

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def challenges_of(fields: Iterable[str]) -> list[Challenge]:
    """The challenges that this client knows, Bearer first: a registry that offers both prefers tokens."""
    found = [challenge for text in fields for challenge in _read(text)]
    return sorted(found, key=lambda challenge: challenge.scheme != "bearer")


def _read(text: str) -> list[Challenge]:
    # What stands in quotes is no scheme: it is blanked out, at its place.
    plain = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), text)
    starts = list(_SCHEME.finditer(plain))
    ends = [*(match.start() for match in starts[1:]), len(text)]
    return [
        Challenge(match[1].lower(), _parameters(text[match.end() : end]))
        for match, end in zip(starts, ends, strict=True)
    ]


def _parameters(text: str) -> dict[str, str]:
    return {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
        for name, quoted, bare in _PARAMETER.findall(text)
    }
