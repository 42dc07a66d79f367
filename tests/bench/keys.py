"""Certificates and bearer tokens made for one run of the bench."""

import base64
import datetime as dt
import time
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

REPOSITORIES = (
    "bench/small",
    "bench/push",
    "bench/pull",
    "bench/images",
    "bench/manifests",
    "bench/tagged",
    "bench/subject",
)
"""What tokens are asked for."""


@dataclass(frozen=True, slots=True)
class Keys:
    """One self-signed certificate (P-256), used for TLS and for tokens."""

    certificate: Path
    key: Path


def make_keys(folder: Path) -> Keys:
    """Write a fresh certificate and its key (PEM)."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    keys = keys_in(folder)
    keys.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    keys.key.write_bytes(
        private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()),
    )
    return keys


def keys_in(folder: Path) -> Keys:
    """Where `make_keys` writes."""
    return Keys(folder / "certificate.pem", folder / "key.pem")


def registry_token(keys: Keys, *actions: str) -> str:
    """A bearer credential in distribution's form, good for these actions in the bench's repositories (ES256, 1 h)."""
    der = x509.load_pem_x509_certificate(keys.certificate.read_bytes()).public_bytes(serialization.Encoding.DER)
    now = int(time.time())
    claims = {
        "iss": "bench",
        "sub": "bench",
        "aud": "bench",
        "exp": now + 3600,
        "nbf": now - 10,
        "iat": now,
        "jti": "bench",
        "access": [{"type": "repository", "name": name, "actions": actions} for name in REPOSITORIES],
    }
    headers = {"x5c": [base64.b64encode(der).decode()]}
    return f"Bearer {jwt.encode(claims, keys.key.read_bytes(), algorithm='ES256', headers=headers)}"
