"""The key ring: made at the first start, rotated without losing a key, followed by a running process."""

import time
from pathlib import Path

import pytest

from policy.signing.key_ring import VERDICT_KEY_FILE, KeyRing
from policy.signing.public_keys import KeysUnreadable, public_jwk, read_public_keys
from registry.auth.signing_key import SigningKeyUnusable, kid_of


def ring(data: Path) -> KeyRing:
    """That of a data folder."""
    return KeyRing(data, VERDICT_KEY_FILE)


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    """Mode 0600, and the same at the next start."""
    first = ring(tmp_path).current.kid
    assert (tmp_path / VERDICT_KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert ring(tmp_path).current.kid == first


def test_rotation_keeps_every_public_key(tmp_path: Path) -> None:
    """The current one first, then the latest ones."""
    opened = ring(tmp_path)
    kids = [opened.current.kid, opened.rotate().kid, opened.rotate().kid]
    assert [kid_of(key) for key in ring(tmp_path).public()] == kids[::-1]
    modes = {file.stat().st_mode & 0o077 for file in (tmp_path / "keys").glob("verdicts*")}
    assert modes == {0}


def test_a_running_process_follows(tmp_path: Path) -> None:
    """Another process has rotated; files are looked at four times a second."""
    running = ring(tmp_path)
    new = ring(tmp_path).rotate().kid
    time.sleep(0.3)
    assert running.current.kid == new
    assert len(running.public()) == 2


def test_a_key_that_cannot_be_read_now_changes_nothing(tmp_path: Path) -> None:
    """A running process goes on with what it has; the next start says what is wrong."""
    running = ring(tmp_path)
    kid = running.current.kid
    (tmp_path / VERDICT_KEY_FILE).write_text("no key")
    time.sleep(0.3)
    assert running.current.kid == kid
    with pytest.raises(SigningKeyUnusable):
        ring(tmp_path)


def test_others_may_not_read_it(tmp_path: Path) -> None:
    """As every key of the data folder."""
    ring(tmp_path)
    (tmp_path / VERDICT_KEY_FILE).chmod(0o640)
    with pytest.raises(SigningKeyUnusable, match="chmod 600"):
        ring(tmp_path)


def test_spoilt_earlier_keys_are_told(tmp_path: Path) -> None:
    """With the file's name."""
    ring(tmp_path).rotate()
    (tmp_path / "keys" / "verdicts-earlier.json").write_text("{")
    with pytest.raises(KeysUnreadable, match=r"verdicts-earlier\.json"):
        ring(tmp_path)


def test_public_keys_are_read_in_both_forms(tmp_path: Path) -> None:
    """PEM has the current one, a JWK set all."""
    opened = ring(tmp_path)
    opened.rotate()
    current = opened.current.kid
    assert list(read_public_keys(opened.pem())) == [current]
    document = b'{"keys": [%s]}' % b", ".join(str(each).replace("'", '"').encode() for each in opened.jwks())
    assert list(read_public_keys(document)) == [kid_of(key) for key in opened.public()]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b'{"keys": []}', b'{"keys": [{}]}', b'{"keys": [{"kty": "RSA", "crv": ""}]}', b'{"keys": [1]}'],
)
def test_what_is_no_key_is_refused(raw: bytes) -> None:
    """With a sentence that says what is needed."""
    with pytest.raises(KeysUnreadable, match="need"):
        read_public_keys(raw)


def test_a_point_beside_the_curve_is_refused(tmp_path: Path) -> None:
    """Coordinates that are none."""
    jwk = public_jwk(ring(tmp_path).public()[0])
    document = b'{"keys": [%s]}' % str({**jwk, "x": jwk["y"]}).replace("'", '"').encode()
    with pytest.raises(KeysUnreadable, match="cannot be used"):
        read_public_keys(document)
