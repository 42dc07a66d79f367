"""Receipts: what they say, and what does not pass for one."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from policy.deployments.receipt_key import RECEIPT_KEY_FILE, receipt_key
from policy.deployments.receipts import TYPE, ReceiptUnreadable, ReceiptWrong, issue, read_keys, verify
from policy.deployments.record import Deployment
from policy.signing.public_keys import public_jwk
from registry.auth.signing_key import SigningKeyUnusable
from tests.policy.deployments.site import POLICY, WANTED

MADE = Deployment("d-1", WANTED, "cleared", POLICY, 1000.0, "id", "somebody")


@pytest.fixture(name="data", scope="module")
def _data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


def receipt(data: Path) -> str:
    """A receipt that is valid from 1000 to 2000."""
    return issue(receipt_key(data), "lab", MADE, 1000.0, 2000.0)


def keys(data: Path) -> dict[str, Any]:
    """The keys of a folder."""
    return {"keys": [public_jwk(receipt_key(data).private.public_key())]}


def changed(text: str, part: int, **members: Any) -> str:
    """The receipt with other members in its header (0) or claims (1), under the old signature."""
    parts = text.split(".")
    document = json.loads(base64.urlsafe_b64decode(parts[part] + "=="))
    parts[part] = base64.urlsafe_b64encode(json.dumps(document | members).encode()).rstrip(b"=").decode()
    return ".".join(parts)


def test_what_it_says(data: Path) -> None:
    """Which image, by digest, under which policy, for what, until when."""
    claims = verify(receipt(data), keys(data), 1500.0).claims
    assert (claims["iss"], claims["sub"], claims["exp"], claims["policy"]) == ("lab", "myservice", 2000, POLICY)
    assert (claims["image"]["digest"], claims["image"]["pinned"]) == (WANTED.digest, WANTED.pinned)
    assert claims["deployment"]["computeTarget"] == "akscomputetarget"


def test_the_key_is_private_and_stays(data: Path) -> None:
    """Made once, readable by its owner alone, and not that of the tokens."""
    first = receipt_key(data).kid
    assert (data / RECEIPT_KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert (receipt_key(data).kid, RECEIPT_KEY_FILE.name) == (first, "receipts.pem")


def test_a_key_that_others_read_is_refused(tmp_path: Path) -> None:
    """And the message says which file."""
    receipt_key(tmp_path)
    (tmp_path / RECEIPT_KEY_FILE).chmod(0o640)
    with pytest.raises(SigningKeyUnusable, match=r"receipts\.pem"):
        receipt_key(tmp_path)


def test_it_ends(data: Path) -> None:
    """At the very second."""
    with pytest.raises(ReceiptWrong, match="has ended"):
        verify(receipt(data), keys(data), 2000.0)


@pytest.mark.parametrize("members", [{"sub": "other"}, {"exp": 9999}, {"verdict": "x"}, {"more": 1}])
def test_whatever_is_changed(data: Path, members: dict[str, Any]) -> None:
    """The signature does not fit any more."""
    with pytest.raises(ReceiptWrong, match="does not fit"):
        verify(changed(receipt(data), 1, **members), keys(data), 1500.0)


def test_another_registrys_receipt(data: Path, tmp_path: Path) -> None:
    """Signed by a key that is not among those that are trusted."""
    with pytest.raises(ReceiptWrong, match="none of the 1 keys has signed it"):
        verify(receipt(tmp_path), keys(data), 1500.0)


def test_another_key_under_the_same_name(data: Path, tmp_path: Path) -> None:
    """A `kid` is no proof."""
    impostor = changed(receipt(tmp_path), 0, kid=receipt_key(data).kid)
    with pytest.raises(ReceiptWrong, match="does not fit"):
        verify(impostor, keys(data), 1500.0)


@pytest.mark.parametrize(("algorithm", "secret"), [("none", ""), ("HS256", "s" * 40)])
def test_other_algorithms(data: Path, algorithm: str, secret: str) -> None:
    """Neither unsigned nor signed with a shared secret."""
    headers = {"kid": receipt_key(data).kid, "typ": TYPE}
    forged = jwt.encode({"exp": 2000}, secret, algorithm, headers=headers)
    with pytest.raises(ReceiptWrong, match="ES256"):
        verify(forged, keys(data), 1500.0)


def test_a_token_is_no_receipt(data: Path) -> None:
    """Even one that the same key has signed."""
    key = receipt_key(data)
    token = jwt.encode({"exp": 2000}, key.private, "ES256", headers={"kid": key.kid})
    with pytest.raises(ReceiptUnreadable, match="no receipt"):
        verify(token, keys(data), 1500.0)


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "ü", "x" * 70_000, "{}"])
def test_other_texts(data: Path, text: str) -> None:
    """Nothing can be said about them."""
    with pytest.raises(ReceiptUnreadable):
        verify(text, keys(data), 1500.0)


@pytest.mark.parametrize("text", ["", "[]", '{"keys": 1}', "{", b"\xff"])
def test_other_keys(text: str | bytes) -> None:
    """What is no JWK set."""
    with pytest.raises(ReceiptUnreadable):
        read_keys(text)


@pytest.mark.parametrize("keys", [[], [1], [{"kty": "EC"}], [{"kty": "oct", "k": "AAAA"}]])
def test_unusable_keys(data: Path, keys: list[Any]) -> None:
    """A set without a key that could verify anything."""
    with pytest.raises((ReceiptUnreadable, ReceiptWrong)):
        verify(receipt(data), {"keys": keys}, 1500.0)


def test_openssl_agrees(data: Path, tmp_path: Path) -> None:
    """Another program's verdict: the key in PEM, the signature in DER."""
    text = receipt(data)
    signed, _, signature = text.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    halves = [int.from_bytes(half, "big") for half in (raw[:32], raw[32:])]
    (tmp_path / "signed").write_text(signed)
    (tmp_path / "signature").write_bytes(encode_dss_signature(*halves))
    key = ["-prverify", str(data / RECEIPT_KEY_FILE), "-signature", str(tmp_path / "signature")]
    command = ["openssl", "dgst", "-sha256", *key, str(tmp_path / "signed")]
    done = subprocess.run(command, capture_output=True, check=False)
    assert b"Verified OK" in done.stdout
