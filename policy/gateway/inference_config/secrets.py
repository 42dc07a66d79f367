"""Configurations without what nobody else needs to know: passwords and keys, wherever they stand."""

from collections.abc import Mapping
from typing import Any

WITHHELD = "(withheld)"
_SECRET = frozenset({"password", "primarykey", "secondarykey", "sslkey", "sslkeypemfile", "sslcertificate"})


def without_secrets(value: Any) -> Any:
    """The same document with `(withheld)` in the place of every secret that is set."""
    if isinstance(value, list):
        return [without_secrets(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {key: WITHHELD if _hides(key, each) else without_secrets(each) for key, each in value.items()}


def _hides(key: Any, value: Any) -> bool:
    return str(key).lower() in _SECRET and isinstance(value, str) and value != ""
