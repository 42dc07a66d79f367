"""The key that receipts are signed with: a file of its own, so that it may outlive that of the tokens."""

import base64
from pathlib import Path
from typing import Any

from registry.auth.signing_key import SigningKey, signing_key

RECEIPT_KEY_FILE = Path("keys/receipts.pem")
_COORDINATE_BYTES = 32


def receipt_key(data: Path) -> SigningKey:
    """The key of a data folder, made when there is none.

    Raises:
        SigningKeyUnusable, OSError: as `registry.auth.signing_key` raises them.
    """
    return signing_key(data, RECEIPT_KEY_FILE)


def public_jwk(key: SigningKey) -> dict[str, Any]:
    """The public half as a JSON Web Key (RFC 7517, RFC 7518 section 6.2)."""
    point = key.private.public_key().public_numbers()
    x, y = (number.to_bytes(_COORDINATE_BYTES, "big") for number in (point.x, point.y))
    coordinates = {"x": _text(x), "y": _text(y)}
    return {"kty": "EC", "crv": "P-256", **coordinates, "use": "sig", "alg": "ES256", "kid": key.kid}


def _text(number: bytes) -> str:
    return base64.urlsafe_b64encode(number).rstrip(b"=").decode()
