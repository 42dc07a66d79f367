"""The origin of a token: the secret it was issued for, and its latest expiry."""

from dataclasses import dataclass
from hashlib import sha256

from registry.metadata.principals import SecretRow

_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Origin:
    """What a caller signed in with.

    Attributes:
        secret: names one secret of a principal without revealing it; a rotated secret has another name.
        ends: seconds since the epoch; no token of this origin lives longer.
        first: whether the caller used the secret itself; else a token.
    """

    secret: str
    ends: float
    first: bool


def origin_of(row: SecretRow) -> Origin:
    """The origin of a secret. Its name is made from the hash, whose salt is unique."""
    return Origin(sha256(row.hash.encode()).digest()[:_ID_BYTES].hex(), row.expires, first=True)
