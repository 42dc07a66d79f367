"""Configurations without what nobody else needs to know: passwords and keys, wherever they stand."""

import math
from collections.abc import Mapping
from typing import Any

WITHHELD = "(withheld)"
_SECRET = frozenset({"password", "primarykey", "secondarykey", "sslkey", "sslkeypemfile", "sslcertificate"})


def without_secrets(value: Any) -> Any:
    """The same document as JSON-able data, with `(withheld)` in the place of every secret that is set.

    What JSON cannot hold (YAML has dates, and numbers that are none) becomes its text.
    """
    if isinstance(value, list):
        return [without_secrets(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): WITHHELD if _hides(key, each) else without_secrets(each) for key, each in value.items()}
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def _hides(key: Any, value: Any) -> bool:
    return str(key).lower() in _SECRET and isinstance(value, str) and value != ""
