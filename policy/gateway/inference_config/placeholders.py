"""Places that a template's own program would have filled in: `{{acr}}`, `${{ vars.IMAGE }}`, `$(image)`, `<name>`."""

import re

_PLACEHOLDER = re.compile(
    r"\$\{\{[^\n{}]{0,200}\}\}|\{\{[^\n{}]{0,200}\}\}|\$\{[^\n{}]{1,200}\}|\$\([^\n()]{1,200}\)"
    r"|#\{[^\n{}]{1,200}\}#?|<[A-Za-z_][A-Za-z0-9_ .-]{0,80}>|__[A-Z][A-Z0-9_]{0,80}__"
)


def placeholder_in(text: str) -> str:
    """The first place that was not filled in; "" when there is none."""
    found = _PLACEHOLDER.search(text)
    return found.group() if found else ""


def first_line_with_one(text: str) -> tuple[int, str] | None:
    """Number of the first line that has such a place, from 1, and the place."""
    found = _PLACEHOLDER.search(text)
    return None if found is None else (text.count("\n", 0, found.start()) + 1, found.group())
