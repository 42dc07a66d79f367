"""Public keys as others take them: JSON Web Keys, and PEM."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from registry.auth.signing_key import kid_of
from registry.errors import BasegateError

_COORDINATE_BYTES = 32


class KeysUnreadable(BasegateError):
    """What was given is no public key that could have signed; the message says what is needed."""


def public_jwk(key: EllipticCurvePublicKey) -> dict[str, Any]:
    """A P-256 key as a JSON Web Key (RFC 7517, RFC 7518 section 6.2)."""
    point = key.public_numbers()
    x, y = (_text(number.to_bytes(_COORDINATE_BYTES, "big")) for number in (point.x, point.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": kid_of(key)}


def public_pem(key: EllipticCurvePublicKey) -> bytes:
    """The key as a PEM block (`SubjectPublicKeyInfo`), which `cosign --key` takes."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def of_jwk(jwk: Mapping[str, Any]) -> EllipticCurvePublicKey:
    """The key of a JSON Web Key.

    Raises:
        KeysUnreadable: it is none on P-256.
    """
    try:
        if (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
            raise KeysUnreadable(f"a key of the kind {jwk['kty']!r:.40} has signed no verdict: needs EC on P-256")
        x, y = (int.from_bytes(_bytes(jwk[name]), "big") for name in ("x", "y"))
        return EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise KeysUnreadable(f"a key cannot be used ({error}): needs what GET /policy/v1/keys answers") from None


def read_public_keys(raw: bytes) -> dict[str, EllipticCurvePublicKey]:
    """The keys of a PEM file or of a JWK set, by their ids.

    Raises:
        KeysUnreadable: it is neither.
    """
    if raw.lstrip().startswith(b"{"):
        return {kid_of(key): key for key in map(of_jwk, _jwk_set(raw))}
    try:
        key = load_pem_public_key(raw)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeysUnreadable(f"no public key in PEM ({error}): needs what basegate verdict key show prints") from None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise KeysUnreadable("this is another kind of key: verdicts are signed with keys on P-256")
    return {kid_of(key): key}


def _jwk_set(raw: bytes) -> list[Mapping[str, Any]]:
    try:
        keys = json.loads(raw)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        keys = None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise KeysUnreadable('the keys cannot be read: needs {"keys": […]}, as GET /policy/v1/keys answers it')
    return keys


def _text(number: bytes) -> str:
    return base64.urlsafe_b64encode(number).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
