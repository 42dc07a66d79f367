"""DSSE envelopes: a payload and signatures of it (DSSE 1.0.2, ECDSA on P-256 with SHA-256)."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from registry.auth.signing_key import SigningKey
from registry.errors import BasegateError
from registry.oci.canonical_json import canonical_json

_ALGORITHM = ECDSA(SHA256())


class EnvelopeUnreadable(BasegateError):
    """The bytes are no DSSE envelope."""


class SignatureWrong(BasegateError):
    """It is an envelope, and none of the keys has signed it as it is."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope.

    Attributes:
        payload_type: what the payload is, a media type.
        payload: the signed bytes.
        signatures: each in DER, with the id of its key, which is a hint and may be "".
    """

    payload_type: str
    payload: bytes
    signatures: Sequence[tuple[str, bytes]]

    def document(self) -> dict[str, object]:
        """The envelope as JSON-able data."""
        signatures = [{"keyid": kid, "sig": _base64(signature)} for kid, signature in self.signatures]
        return {"payload": _base64(self.payload), "payloadType": self.payload_type, "signatures": signatures}

    def to_bytes(self) -> bytes:
        """The envelope as JSON, the same bytes for the same envelope."""
        return canonical_json(self.document())


def sign(key: SigningKey, payload_type: str, payload: bytes) -> bytes:
    """The signature of a payload, in DER."""
    return key.private.sign(pae(payload_type, payload), _ALGORITHM)


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def verify(envelope: Envelope, keys: Mapping[str, EllipticCurvePublicKey]) -> str:
    """The id of the key that has signed; every key is tried, whatever the envelope says of it.

    Raises:
        SignatureWrong: none of them has.
    """
    encoded = pae(envelope.payload_type, envelope.payload)
    for _, signature in envelope.signatures:
        for kid, key in keys.items():
            try:
                key.verify(signature, encoded, _ALGORITHM)
            except InvalidSignature:
                continue
            return kid
    named = ", ".join(sorted({kid for kid, _ in envelope.signatures if kid})) or "no key"
    raise SignatureWrong(f"none of {len(keys)} keys has signed it as it is; it names {named:.200}")


def read_envelope(raw: bytes) -> Envelope:
    """The envelope in JSON, alone or in a sigstore bundle.

    Raises:
        EnvelopeUnreadable: there is none.
    """
    try:
        document = json.loads(raw)
        document = document.get("dsseEnvelope", document)
        signatures = [(str(each.get("keyid") or ""), _decoded(each["sig"])) for each in document["signatures"]]
        return Envelope(str(document["payloadType"]), _decoded(document["payload"]), signatures)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EnvelopeUnreadable(f"this is no DSSE envelope and no sigstore bundle with one ({error!r:.120})") from None


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _decoded(text: str) -> bytes:
    """Standard or URL-safe base64, as DSSE allows; nothing that another text would decode to as well."""
    standard = text.replace("-", "+").replace("_", "/")
    content = base64.b64decode(standard, validate=True)
    if _base64(content) != standard:
        raise ValueError("its base64 has bits that mean nothing")
    return content
