"""Recognises what this registry has signed, however somebody has written it anew."""

import base64
import json
import re
from collections.abc import Iterator, Sequence
from itertools import product

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from policy.attestation.types import PAYLOAD_TYPE, PREDICATE_TYPE
from policy.signing.dsse import Envelope, SignatureWrong, verify

_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
"""gzip and zstd, which readers of layers undo."""
_TEXT = re.compile(rb'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_DER_SEQUENCE = b"\x30"
_SIGNATURE_BYTES = 72
_URLS = str.maketrans("-_", "+/")
_PAIRS = 1000


def is_signed_by(raw: bytes, keys: Sequence[EllipticCurvePublicKey]) -> bool:
    """Whether JSON holds a verdict that one of these keys has signed, however it is written.

    Verifiers differ in what they read: names in any case, base64 of two alphabets and with line ends, members that
    nobody knows. So every text counts, wherever it stands: a statement and a signature of it are enough. What cannot
    be told by looking, because it is compressed or has texts beyond measure, counts as signed.
    """
    if raw.startswith(_COMPRESSED):
        return True
    decoded = list(_decoded(raw))
    payloads = [each for each in decoded if PREDICATE_TYPE.encode() in each]
    signatures = [each for each in decoded if len(each) <= _SIGNATURE_BYTES and each.startswith(_DER_SEQUENCE)]
    if len(payloads) * len(signatures) > _PAIRS:
        return True
    by_name = {str(number): key for number, key in enumerate(keys)}
    return any(_holds(payload, signature, by_name) for payload, signature in product(payloads, signatures))


def _holds(payload: bytes, signature: bytes, keys: dict[str, EllipticCurvePublicKey]) -> bool:
    try:
        verify(Envelope(PAYLOAD_TYPE, payload, [("", signature)]), keys)
    except SignatureWrong:
        return False
    return True


def _decoded(raw: bytes) -> Iterator[bytes]:
    """What the texts of JSON are in base64, as leniently as any reader takes it."""
    for found in _TEXT.finditer(raw):
        try:
            text = json.loads(found[0].decode("utf-8", "replace"), strict=False)
            content = base64.b64decode(f"{text.translate(_URLS).rstrip('=')}===")
        except ValueError:
            continue
        yield content
