"""Template placeholders that were not filled in: `{{acr}}`, `${{ vars.IMAGE }}`, `$(image)`, `<name>`."""

import re

_PLACEHOLDER = re.compile(
    r"\$\{\{[^\n{}]{0,200}\}\}|\{\{[^\n{}]{0,200}\}\}|\$\{[^\n{}]{1,200}\}|\$\([^\n()]{1,200}\)"
    r"|#\{[^\n{}]{1,200}\}#?|<[A-Za-z_][A-Za-z0-9_ .-]{0,80}>|__[A-Z][A-Z0-9_]{0,80}__"
)


def placeholder_in(text: str) -> str:
    """The first placeholder; "" when there is none."""
    match = _PLACEHOLDER.search(text)
    return match.group() if match else ""


def first_line_with_one(text: str) -> tuple[int, str] | None:
    """Number of the first line with a placeholder, from 1, and the placeholder."""
    match = _PLACEHOLDER.search(text)
    return None if match is None else (text.count("\n", 0, match.start()) + 1, match.group())
