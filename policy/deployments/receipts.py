"""Receipts: what was cleared for which deployment, signed (JWS, RFC 7515, ES256), to be verified offline."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policy.deployments.record import Deployment
from registry.auth.signing_key import SigningKey
from registry.errors import BasegateError

TYPE = "basegate-receipt+jwt"
_ALGORITHM = "ES256"
_LONGEST = 65_536
_NEEDED = ("iss", "iat", "exp", "jti", "sub", "deployment", "image", "policy", "verdict")


class ReceiptUnreadable(BasegateError):
    """The text is no receipt, or the keys are none: nothing can be said about it."""


class ReceiptWrong(BasegateError):
    """It is a receipt, and does not hold: another's signature, changed, ended."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says: its claims, and the key that signed it."""

    claims: Mapping[str, Any]
    kid: str


def issue(key: SigningKey, issuer: str, deployment: Deployment, now: float, ends: float) -> str:
    """The receipt of a deployment.

    Args:
        key: signs it.
        issuer: who says so, as in tokens.
        deployment: what it is about.
        now: seconds since the epoch.
        ends: when it is no longer valid, in seconds since the epoch.
    """
    import jwt  # noqa: PLC0415 - slow to import

    wanted = deployment.wanted
    claims = {
        "iss": issuer,
        "iat": int(now),
        "exp": int(ends),
        "jti": deployment.id,
        "sub": wanted.name,
        "deployment": {
            "models": list(wanted.models),
            "workspace": wanted.workspace,
            "computeType": wanted.compute_type,
            "computeTarget": wanted.compute_target or None,
            "profile": wanted.profile,
            "configuration": wanted.configuration,
            "recordedBy": deployment.recorded_by_name,
        },
        "image": {
            "reference": wanted.image,
            "pinned": wanted.pinned,
            "digest": wanted.digest,
            "registryKind": wanted.registry_kind,
        },
        "policy": dict(deployment.policy),
        "verdict": deployment.verdict,
    }
    return jwt.encode(claims, key.private, _ALGORITHM, headers={"kid": key.kid, "typ": TYPE})


def verify(text: str, keys: Mapping[str, Any], now: float) -> Receipt:
    """What a receipt says, when one of the keys has signed it and it has not ended.

    Args:
        text: the receipt (JWS compact serialisation).
        keys: a JWK set, as `GET /policy/v1/keys` answers it.
        now: seconds since the epoch.

    Raises:
        ReceiptUnreadable: no receipt, or no keys.
        ReceiptWrong: it does not hold; says why.
    """
    import jwt  # noqa: PLC0415 - slow to import

    header = _header(text)
    key = _key(keys, header.get("kid"))
    try:
        claims = jwt.decode(
            text.strip(),
            key,
            [_ALGORITHM],
            options={"require": list(_NEEDED), "verify_exp": False, "verify_iat": False, "verify_aud": False},
        )
    except jwt.InvalidSignatureError:
        raise ReceiptWrong("the signature does not fit: the receipt was changed, or another key signed it") from None
    except jwt.InvalidTokenError as error:
        raise ReceiptWrong(f"the receipt does not hold: {error}") from None
    if claims["exp"] <= now:
        raise ReceiptWrong("the receipt has ended: check the deployment again")
    return Receipt(claims, key.key_id or "")


def read_keys(text: str | bytes) -> Mapping[str, Any]:
    """A JWK set.

    Raises:
        ReceiptUnreadable: it is none.
    """
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ReceiptUnreadable('the keys cannot be read: needs {"keys": […]}, as GET /policy/v1/keys answers it')
    return document


def _header(text: str) -> Mapping[str, Any]:
    """The header of what looks like a receipt; whatever is wrong behind it makes it a wrong one."""
    if len(text) > _LONGEST:
        raise ReceiptUnreadable(f"more than {_LONGEST} characters: this is no receipt")
    first, *others = text.strip().split(".")
    try:
        header = json.loads(base64.b64decode(first + "=" * (-len(first) % 4), altchars=b"-_", validate=True))
    except ValueError:
        header = None
    if len(others) != 2 or not isinstance(header, dict):
        raise ReceiptUnreadable("this is no receipt: needs the text that deploy check has written")
    if header.get("typ") != TYPE:
        raise ReceiptUnreadable(f"this is signed, but no receipt: its type is {header.get('typ')!r:.80}, needs {TYPE}")
    if header.get("alg") != _ALGORITHM:
        raise ReceiptWrong(f"the signature is of the kind {header.get('alg')!r:.40}: receipts have {_ALGORITHM}")
    return header


def _key(keys: Mapping[str, Any], kid: object) -> Any:
    import jwt  # noqa: PLC0415 - slow to import

    try:
        known = jwt.PyJWKSet.from_dict(dict(keys)).keys
    except (jwt.PyJWTError, AttributeError, TypeError, ValueError) as error:
        raise ReceiptUnreadable(f"the keys cannot be used: {error}") from None
    found = next((key for key in known if key.key_id == kid and key.algorithm_name == _ALGORITHM), None)
    if found is None:
        raise ReceiptWrong(f"none of the {len(known)} keys has signed it: its key is {kid!r:.100}")
    return found
