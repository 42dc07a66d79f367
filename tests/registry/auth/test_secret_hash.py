"""Secrets: made, hashed, compared."""

import re

from registry.auth.secret_hash import hash_secret, matches, new_secret


def test_new_secret_needs_no_quoting() -> None:
    """Letters and digits only, and at least 32 bytes of randomness (44 of 62 characters)."""
    assert re.fullmatch(r"[A-Za-z0-9]{44}", new_secret())


def test_secrets_differ() -> None:
    """No two are the same."""
    assert len({new_secret() for _ in range(100)}) == 100


def test_hash_is_argon2id_with_its_own_salt() -> None:
    """The same secret hashes to different PHC strings with the parameters in them."""
    first, second = hash_secret("secret"), hash_secret("secret")
    assert first != second
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_only_the_secret_matches() -> None:
    """The hash tells the secret from another, and a damaged hash matches nothing."""
    phc = hash_secret("secret")
    assert matches("secret", phc)
    assert not matches("Secret", phc)
    assert not matches("secret", "$argon2id$damaged")
