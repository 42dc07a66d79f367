"""DSSE envelopes: the encoding of the specification, and what is read of one."""

import json

import pytest

from policy.signing.dsse import EnvelopeUnreadable, SignatureWrong, pae, read_envelope, verify
from tests.policy.attestation.signed import KEY, envelope, new_key

SPOILT = [
    b"",
    b"[]",
    b"{}",
    b'{"payload": "e30=", "payloadType": "a/b", "signatures": [{}]}',
    b'{"payload": "e30", "payloadType": "a/b", "signatures": []}',
    b'{"payload": "e31=", "payloadType": "a/b", "signatures": []}',
    b'{"payload": 1, "payloadType": "a/b", "signatures": []}',
    b"[" * 100_000,
]


def test_the_encoding_is_that_of_the_specification() -> None:
    """The example of its protocol page."""
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == expected


def test_an_envelope_is_read_as_it_was_written() -> None:
    """Alone, and in a bundle."""
    made = envelope()
    assert read_envelope(made.to_bytes()) == made
    assert read_envelope(json.dumps({"dsseEnvelope": made.document()}).encode()) == made


def test_url_safe_base64_is_read() -> None:
    """DSSE allows both alphabets."""
    made = envelope()
    text = made.to_bytes().decode().replace("+", "-")
    assert read_envelope(text.encode()).payload == made.payload


@pytest.mark.parametrize("raw", SPOILT)
def test_what_is_no_envelope_is_refused(raw: bytes) -> None:
    """With a sentence, whatever it is."""
    with pytest.raises(EnvelopeUnreadable, match="no DSSE envelope"):
        read_envelope(raw)


def test_every_key_is_tried() -> None:
    """The id in an envelope is a hint."""
    others = {each.kid: each.private.public_key() for each in (new_key(), KEY, new_key())}
    assert verify(envelope(), others) == KEY.kid
    with pytest.raises(SignatureWrong, match="none of 2 keys"):
        verify(envelope(), {kid: key for kid, key in others.items() if kid != KEY.kid})
