"""The signing key: made once, kept, private."""

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from registry.auth.signing_key import KEY_FILE, SigningKeyUnusable, signing_key


def test_key_is_made_private_and_kept(tmp_path: Path) -> None:
    """The first call makes a file that only its owner can read; the second reads the same key."""
    made = signing_key(tmp_path)
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert signing_key(tmp_path).kid == made.kid
    assert [path.name for path in (tmp_path / KEY_FILE).parent.iterdir()] == ["signing.pem"]


def test_key_id_has_libtrusts_form(tmp_path: Path) -> None:
    """Twelve groups of four, as ACR's tokens have it."""
    assert re.fullmatch(r"[A-Z2-7]{4}(:[A-Z2-7]{4}){11}", signing_key(tmp_path).kid)


def test_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A key that leaked to the group is not used, and the message says how to go on."""
    signing_key(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o640)
    with pytest.raises(SigningKeyUnusable, match="chmod 600"):
        signing_key(tmp_path)


def test_damaged_key_is_refused(tmp_path: Path) -> None:
    """A file that is no key is not replaced behind the owner's back."""
    signing_key(tmp_path)
    (tmp_path / KEY_FILE).write_text("nonsense")
    with pytest.raises(SigningKeyUnusable, match="not a private key"):
        signing_key(tmp_path)


def test_other_kind_of_key_is_refused(tmp_path: Path) -> None:
    """Only P-256 signs ES256."""
    signing_key(tmp_path)
    other = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / KEY_FILE).write_bytes(other)
    with pytest.raises(SigningKeyUnusable, match="needs P-256"):
        signing_key(tmp_path)
