"""Documents become HTML."""

from collections.abc import Mapping
from functools import cache
from typing import Any


def render(template: str, values: Mapping[str, Any]) -> str:
    """The HTML of a page."""
    return str(_environment().get_template(template).render(values))


def render_part(macro: str, *values: Any) -> str:
    """The HTML of a part of pages: what a macro of `parts.html` makes of the values."""
    return str(getattr(_parts(), macro)(*values))


@cache
def _parts() -> Any:
    return _environment().get_template("parts.html").module


@cache
def _environment() -> Any:
    # With the first page, not with the start.
    from policy.web.environment import environment  # noqa: PLC0415

    return environment()
