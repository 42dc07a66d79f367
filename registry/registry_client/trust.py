"""Trusted certificates: the system's, a given CA file, and those of docker and podman."""

import ssl
from collections.abc import Iterator
from pathlib import Path

from registry.errors import BasegateError

CERTIFICATE_FOLDERS = ("/etc/containers/certs.d", "/etc/docker/certs.d")


class TrustUnusable(BasegateError):
    """A CA file cannot be used; the message names it and says why."""


def known_ca_files(host: str, home: Path, system: tuple[str, ...] = CERTIFICATE_FOLDERS) -> tuple[Path, ...]:
    """The CA files that docker and podman use for a registry (`certs.d/HOST:PORT/*.crt`), sorted."""
    folders = (home / ".config/containers/certs.d", *(Path(folder) for folder in system))
    return tuple(file for folder in folders for file in _certificates(folder / host))


def tls_context(ca_files: tuple[Path, ...]) -> ssl.SSLContext:
    """A client context that trusts the system's authorities (`SSL_CERT_FILE` respected) and the given files.

    Raises:
        TrustUnusable: a file cannot be read or holds no certificate.
    """
    context = ssl.create_default_context()
    for file in ca_files:
        try:
            context.load_verify_locations(cafile=file)
        except (OSError, ssl.SSLError) as error:
            raise TrustUnusable(f"CA file {file} cannot be used ({error}): needs PEM certificates") from None
    return context


def _certificates(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.glob("*.crt"))
    except OSError:  # another user's folder: treated as empty
        return
