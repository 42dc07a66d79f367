"""Canonical JSON: one byte string for one value, whichever machine writes it."""

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:
    """UTF-8, members sorted by name, no white space, no NaN; ends without a newline."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", errors="backslashreplace")


def digest_of(value: Any) -> str:
    """`sha256:` and the hexadecimal digest of a value's canonical JSON."""
    return f"sha256:{hashlib.sha256(canonical_json(value)).hexdigest()}"
