"""What a value of a document is, in words of people who write documents."""

from typing import Any

_KINDS = (
    (bool, "true or false"),
    (int | float, "a number"),
    (str, "text"),
    (list | tuple, "a list"),
    (dict, "keys and values"),
)


def kind_of(value: Any) -> str:
    """`text`, `a list`, `keys and values`, `a number`, `true or false`, `nothing`."""
    return "nothing" if value is None else next((word for kind, word in _KINDS if isinstance(value, kind)), "no text")
