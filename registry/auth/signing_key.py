"""The key that signs tokens: ECDSA on P-256, in the data folder, made at the first start."""

import base64
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from registry.errors import BasegateError
from registry.storage.disk.atomic_file import create_file

KEY_FILE = Path("keys/signing.pem")


class SigningKeyUnusable(BasegateError):
    """The key file cannot be used; the message is one line for the person who starts the server."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and its `kid` in token headers (libtrust's form: 12 groups of 4)."""

    private: EllipticCurvePrivateKey
    kid: str


def signing_key(data: Path, file: Path = KEY_FILE) -> SigningKey:
    """The key in a file of the data folder, by default the one for tokens; made when absent.

    Raises:
        SigningKeyUnusable: the file is not a P-256 key, or others than its owner may read it.
        OSError: the folder cannot be written.
    """
    path = data / file
    if not path.exists():
        _create(path)
    if path.stat().st_mode & 0o077:
        raise SigningKeyUnusable(f"{path} can be read by others than its owner: run chmod 600 {path}")
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise SigningKeyUnusable(
            f"{path} is not a private key in PEM: restore it, or remove it for a new one"
        ) from error
    if not isinstance(private, EllipticCurvePrivateKey) or not isinstance(private.curve, SECP256R1):
        raise SigningKeyUnusable(f"{path} holds another kind of key, needs P-256: remove it for a new one")
    return SigningKey(private, kid_of(private.public_key()))


def private_pem(private: EllipticCurvePrivateKey) -> bytes:
    """A private key as its file has it (PKCS #8 in PEM)."""
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _create(path: Path) -> None:
    """Create the file atomically; if another process is first, its key is used."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    create_file(path, private_pem(generate_private_key(SECP256R1())))


def kid_of(key: EllipticCurvePublicKey) -> str:
    """The id of a public key (libtrust's form)."""
    public = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(sha256(public).digest()[:30]).decode("ascii")
    return ":".join(text[at : at + 4] for at in range(0, len(text), 4))
