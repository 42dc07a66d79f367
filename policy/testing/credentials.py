"""Principals of a registry for tests, whose secrets take no time to be hashed.

Hashes are slow so that a stolen database does not give away weak secrets. These secrets are random, last as long as a
test, and are hashed with the least that the form allows.
"""

import os
import time
import uuid
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from registry.auth.actions import Role
from registry.auth.enrolment import SECRET_NAMES, Enrolment, NewSecret
from registry.auth.secret_hash import new_secret
from registry.config.group import DAY
from registry.metadata.principals import PrincipalRow, SecretRow

_SALT_BYTES, _HASH_BYTES, _LEAST_KIB = 16, 32, 8


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs in at a registry.

    Attributes:
        username: of the principal.
        password: its secret.
    """

    username: str
    password: str = field(repr=False)


def enrolment(name: str, role: Role, pattern: str = "*") -> tuple[Enrolment, Credentials]:
    """A principal that is not recorded yet, and its credentials, which end in a day."""
    secret, now = new_secret(), time.time()
    row = SecretRow(SECRET_NAMES[0], _hashed(secret), now + DAY, now)
    principal = PrincipalRow(str(uuid.uuid4()), name, role.value, (pattern,), True, now, (row,))
    return Enrolment(principal, (NewSecret(secret, row),)), Credentials(name, secret)


def _hashed(secret: str) -> str:
    salt = os.urandom(_SALT_BYTES)
    least = Argon2id(salt=salt, length=_HASH_BYTES, iterations=1, lanes=1, memory_cost=_LEAST_KIB)
    return least.derive_phc_encoded(secret.encode())
