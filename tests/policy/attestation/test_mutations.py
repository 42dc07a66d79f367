"""Any changed byte of payload, signature, key or subject is refused, by the procedure and by securesystemslib."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as OtherEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer._key import SSlibKey

from policy.attestation.verification import SummaryWrong, verified
from policy.signing.dsse import EnvelopeUnreadable, read_envelope
from registry.errors import BasegateError
from registry.oci.digest import Digest
from tests.policy.attestation.signed import DIGEST, KEY, envelope, expected

MADE = envelope()
DOCUMENT: dict[str, Any] = MADE.document()
PAYLOAD, SIGNATURE = (base64.b64decode(text) for text in (DOCUMENT["payload"], DOCUMENT["signatures"][0]["sig"]))
POINT = b"\x04" + b"".join(
    number.to_bytes(32, "big")
    for number in (KEY.private.public_key().public_numbers().x, KEY.private.public_key().public_numbers().y)
)
# Together 10,000.
many = settings(max_examples=2500, deadline=None, suppress_health_check=list(HealthCheck), database=None)


def flips(length: int) -> st.SearchStrategy[tuple[int, int]]:
    """A place, and what its byte is changed by."""
    return st.tuples(st.integers(0, length - 1), st.integers(1, 255))


def flipped(content: bytes, change: tuple[int, int]) -> bytes:
    """The same with one byte changed."""
    place, by = change
    return content[:place] + bytes([content[place] ^ by]) + content[place + 1 :]


def document(payload: bytes = PAYLOAD, signature: bytes = SIGNATURE) -> dict[str, Any]:
    """An envelope of these."""
    texts = [base64.b64encode(content).decode() for content in (payload, signature)]
    return {**DOCUMENT, "payload": texts[0], "signatures": [{"keyid": "", "sig": texts[1]}]}


def ours(raw: bytes, key: EllipticCurvePublicKey | None = None) -> None:
    """The procedure, with the right key unless another is given."""
    members = {} if key is None else {"keys": {"": key}}
    verified(read_envelope(raw), expected(**members))


def theirs(made: dict[str, Any], key: EllipticCurvePublicKey | None = None) -> None:
    """What securesystemslib does with it."""
    made_of = SSlibKey.from_crypto(key or KEY.private.public_key())
    # It compares the ids of keys, and the envelope names none.
    public = SSlibKey("", made_of.keytype, made_of.scheme, made_of.keyval)
    OtherEnvelope.from_dict(json.loads(json.dumps(made))).verify([public], 1)


def refused(work: Callable[[], None]) -> bool:
    """Whether it is refused, in the way it refuses."""
    with suppress(BasegateError, VerificationError):
        work()
        return False
    return True


def test_what_is_not_changed_holds() -> None:
    """In both: the mutations below are what is refused."""
    ours(MADE.to_bytes())
    theirs(DOCUMENT)


@many
@given(flips(len(PAYLOAD)))
def test_a_changed_payload_is_refused(change: tuple[int, int]) -> None:
    """One byte of it."""
    made = document(payload=flipped(PAYLOAD, change))
    assert refused(lambda: ours(json.dumps(made).encode()))
    assert refused(lambda: theirs(made))


@many
@given(flips(len(SIGNATURE)))
def test_a_changed_signature_is_refused(change: tuple[int, int]) -> None:
    """One byte of it."""
    made = document(signature=flipped(SIGNATURE, change))
    assert refused(lambda: ours(json.dumps(made).encode()))
    assert refused(lambda: theirs(made))


@many
@given(flips(len(POINT)))
def test_a_changed_key_verifies_nothing(change: tuple[int, int]) -> None:
    """One byte of it: most are no point of the curve at all."""
    try:
        key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), flipped(POINT, change))
    except ValueError:
        return
    assert refused(lambda: ours(MADE.to_bytes(), key))
    assert refused(lambda: theirs(DOCUMENT, key))


@many
@given(st.binary(max_size=64))
def test_another_subject_is_refused(content: bytes) -> None:
    """A verdict says nothing of any other image."""
    with pytest.raises(SummaryWrong) as raised:
        verified(envelope(), expected(digest=Digest.of(content)))
    assert raised.value.step == "subject"
    assert Digest.of(content) != DIGEST


@many
@given(st.data())
def test_a_changed_text_is_refused_or_means_the_same(data: st.DataObject) -> None:
    """One character of the whole JSON: what still verifies has the same payload."""
    raw = MADE.to_bytes()
    text = flipped(raw, data.draw(flips(len(raw))))
    try:
        read = read_envelope(text)
        verified(read, expected())
    except (EnvelopeUnreadable, SummaryWrong):
        return
    assert read.payload == PAYLOAD
