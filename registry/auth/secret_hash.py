"""A principal's secret: how it is made, hashed (Argon2id, RFC 9106) and compared."""

import os
import secrets
import string

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

# Letters and digits need no quoting in shells, URLs and forms. 44 of them have 262 bits, more than 32 bytes.
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 44

# OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
_MEMORY_KIB = 19_456
_PASSES = 2
_LANES = 1
_SALT_BYTES = 16
_HASH_BYTES = 32
SECRET_MAXIMUM = 4096


def new_secret() -> str:
    """A random secret of 44 letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def hash_secret(secret: str) -> str:
    """The Argon2id hash in PHC form, with a new salt. Blocks for some 70 ms."""
    return _argon2id().derive_phc_encoded(secret.encode())


def matches(secret: str, phc: str) -> bool:
    """Whether the secret is the one that was hashed. Blocks for some 70 ms."""
    try:
        Argon2id.verify_phc_encoded(secret.encode(), phc)
    except InvalidKey:
        return False
    return True


def pretend(secret: str) -> None:
    """Take as long as `matches`, so that timing does not reveal unknown names."""
    _argon2id().derive(secret.encode())


def _argon2id() -> Argon2id:
    return Argon2id(
        salt=os.urandom(_SALT_BYTES), length=_HASH_BYTES, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB
    )
