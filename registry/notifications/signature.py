"""Signatures of deliveries, by Standard Webhooks 1.0: HMAC-SHA256 over id, time and body."""

import base64
import hmac

_PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """The key of a secret: base64 behind `whsec_`, else the bytes of the text."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except ValueError:  # no base64, or no ASCII
            pass
    return secret.encode()


def signed_headers(key: bytes, message_id: str, now: int, body: bytes) -> dict[str, str]:
    """The header fields of a delivery; without a key its id and time (seconds since the epoch) alone."""
    fields = {"webhook-id": message_id, "webhook-timestamp": str(now)}
    if key:
        content = b".".join((message_id.encode(), str(now).encode(), body))
        digest = base64.b64encode(hmac.digest(key, content, "sha256")).decode()
        fields["webhook-signature"] = f"v1,{digest}"
    return fields
