"""Patterns of repositories and tags, with one meaning in settings, principals, assignments and exemptions.

`*` matches any characters including `/`, `?` one character, `[ab]` one of several; case matters. `team/*` covers
`team/app` and `team/app/debug`, but not `team`.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase

EVERY = "*"


def covers(pattern: str, name: str) -> bool:
    """Whether a pattern covers a name."""
    # Listings call this for every name, and matching against "*" costs more than reading the rows.
    return pattern == EVERY or fnmatchcase(name, pattern)


def any_covers(patterns: Iterable[str], name: str) -> bool:
    """Whether one of the patterns covers a name."""
    return any(covers(pattern, name) for pattern in patterns)


def longest(patterns: Iterable[str], name: str) -> str | None:
    """The longest pattern that covers a name, the first of equally long ones; `None` when none does."""
    return max((pattern for pattern in patterns if covers(pattern, name)), key=len, default=None)
