"""Patterns of repositories and tags in settings, principals, assignments and exemptions: one meaning everywhere.

`*` stands for any characters, `/` among them, `?` for one, `[ab]` for one of several; capitals count. `team/*` covers
`team/app` and `team/app/debug`, and not `team`.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase

EVERY = "*"


def covers(pattern: str, name: str) -> bool:
    """Whether a pattern covers a name."""
    # Lists ask this of every name: matching a thousand against "*" takes longer than reading them.
    return pattern == EVERY or fnmatchcase(name, pattern)


def any_covers(patterns: Iterable[str], name: str) -> bool:
    """Whether one of the patterns covers a name."""
    return any(covers(pattern, name) for pattern in patterns)


def longest(patterns: Iterable[str], name: str) -> str | None:
    """The longest pattern that covers a name; of equally long ones the first; `None` when none does."""
    return max((pattern for pattern in patterns if covers(pattern, name)), key=len, default=None)
