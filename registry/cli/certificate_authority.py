"""A lab certificate authority and the server certificate that it signs, for registries without a public name.

Files in `DATA/tls`: `ca.crt` (give it to clients), `ca.key`, `server.crt`, `server.key`; keys are readable by their
owner only. A second run renews the server's certificate. It keeps the authority, so that clients need no new one, and
the names in the certificate.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from registry.errors import BasegateError
from registry.storage.disk.atomic_file import replace_file

FOLDER = Path("tls")
AUTHORITY_DAYS = 3650
SERVER_DAYS = 397  # the most that browsers and Apple's libraries accept
_BACKDATED = timedelta(hours=1)  # for clients with a slow clock
_HOST_MAXIMUM = 253


class TlsRefused(BasegateError):
    """The certificates cannot be made; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """The files, the names in the server's certificate, and its expiry."""

    ca: Path
    certificate: Path
    key: Path
    hosts: tuple[str, ...]
    expires: datetime
    renewed: bool


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: EllipticCurvePrivateKey


def default_hosts() -> tuple[str, ...]:
    """The names in every server certificate: loopback by name and address, and this machine's name."""
    return tuple(dict.fromkeys(("localhost", "127.0.0.1", "::1", socket.gethostname())))


def make_certificates(data: Path, hosts: Sequence[str] = (), days: int = SERVER_DAYS) -> Certificates:
    """Make or renew the server's certificate for the default hosts, its earlier names and the given hosts.

    Raises:
        TlsRefused: a host is not a name or address, or existing files are damaged.
        OSError: the data folder cannot be written.
    """
    folder = data / FOLDER
    wanted = tuple(dict.fromkeys((*default_hosts(), *_earlier_hosts(folder / "server.crt"), *hosts)))
    names = [_general_name(host) for host in wanted]
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    renewed = any((folder / name).exists() for name in ("ca.crt", "ca.key"))
    authority = _load_authority(folder) if renewed else _make_authority(folder)
    key = generate_private_key(SECP256R1())
    certificate = _sign_server(authority, key, names, days)
    # The key first: a reader between the two writes finds a pair that does not match, and keeps the old one.
    replace_file(folder / "server.key", _key_pem(key), 0o600)
    replace_file(folder / "server.crt", certificate.public_bytes(Encoding.PEM), 0o644)
    expires = certificate.not_valid_after_utc
    return Certificates(folder / "ca.crt", folder / "server.crt", folder / "server.key", wanted, expires, renewed)


def _earlier_hosts(path: Path) -> tuple[str, ...]:
    """The names in the existing certificate, if any."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, x509.ExtensionNotFound) as error:
        raise TlsRefused(
            f"{path} cannot be read ({error}), and with it the names it has: restore it, or remove it and give every "
            "name with --host"
        ) from error
    return tuple(str(name.value) for name in names if isinstance(name, x509.DNSName | x509.IPAddress))


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        pass
    try:
        name = host.encode("idna").decode("ascii") if not host.isascii() else host
        if not name or len(name) > _HOST_MAXIMUM or not all(c.isalnum() or c in "-._*" for c in name):
            raise TlsRefused(f"{host[:80]!r} is neither a host name nor an IP address: give one without scheme or port")
        return x509.DNSName(name)
    except ValueError as error:
        raise TlsRefused(f"{host[:80]!r} is neither a host name nor an IP address: {error}") from error


def _make_authority(folder: Path) -> _Authority:
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"basegate lab CA on {socket.gethostname()[:40]}")])
    builder = _builder(name, name, key, AUTHORITY_DAYS)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(identifier, critical=False)
    certificate = builder.sign(key, SHA256())
    replace_file(folder / "ca.key", _key_pem(key), 0o600)
    replace_file(folder / "ca.crt", certificate.public_bytes(Encoding.PEM), 0o644)
    return _Authority(certificate, key)


def _load_authority(folder: Path) -> _Authority:
    try:
        certificate = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
        key = load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise TlsRefused(
            f"{folder}/ca.crt and ca.key cannot be read ({error}): restore both, or remove both for a new authority"
        ) from error
    if not isinstance(key, EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise TlsRefused(f"{folder}/ca.key does not fit ca.crt: restore both, or remove both for a new authority")
    if certificate.not_valid_after_utc <= datetime.now(UTC):
        raise TlsRefused(f"{folder}/ca.crt has expired: remove ca.crt and ca.key for a new authority")
    return _Authority(certificate, key)


def _sign_server(
    authority: _Authority, key: EllipticCurvePrivateKey, names: Sequence[x509.GeneralName], days: int
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "basegate registry")])
    builder = _builder(subject, authority.certificate.subject, key, days)
    identifier = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    for extension, critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(signs_certificates=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(names), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(authority.key, SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
