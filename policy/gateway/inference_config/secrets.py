"""Removes passwords and keys from configurations."""

import math
from collections.abc import Mapping
from typing import Any

WITHHELD = "(withheld)"
_SECRET = frozenset({"password", "primarykey", "secondarykey", "sslkey", "sslkeypemfile", "sslcertificate"})


def without_secrets(value: Any) -> Any:
    """The same document as JSON-able data, with `(withheld)` instead of every secret that is set.

    Values that JSON does not have (YAML's dates, NaN) become text.
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
