"""The key that receipts are signed with: a file of its own, so that it may outlive that of the tokens."""

from pathlib import Path

from policy.signing.key_ring import KeyRing
from registry.auth.signing_key import SigningKey, signing_key

RECEIPT_KEY_FILE = Path("keys/receipts.pem")


def receipt_keys(data: Path) -> KeyRing:
    """The key of a data folder, made when there is none, and the public halves of those before it.

    Raises:
        SigningKeyUnusable, KeysUnreadable, OSError: as `KeyRing` raises them.
    """
    return KeyRing(data, RECEIPT_KEY_FILE)


def receipt_key(data: Path) -> SigningKey:
    """The key of a data folder, made when there is none.

    Raises:
        SigningKeyUnusable, OSError: as `registry.auth.signing_key` raises them.
    """
    return signing_key(data, RECEIPT_KEY_FILE)
