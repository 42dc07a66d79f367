"""Where a token comes from: the secret it was got with, and the latest time at which it may end."""

from dataclasses import dataclass
from hashlib import sha256

from registry.metadata.principals import SecretRow

_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Origin:
    """What a caller signed in with, as far as tokens that it gets depend on it.

    Attributes:
        secret: names one secret of a principal; it says nothing about the secret, and a rotated one has another.
        ends: seconds since the epoch; no token of this origin lives longer.
        first: whether the secret itself was shown; else it was a token.
    """

    secret: str
    ends: float
    first: bool


def origin_of(row: SecretRow) -> Origin:
    """The origin that a secret is. The salt in its hash makes the name that of this one secret."""
    return Origin(sha256(row.hash.encode()).digest()[:_ID_BYTES].hex(), row.expires, first=True)
