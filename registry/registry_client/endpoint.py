"""Where another registry is, how it is reached, and what is taken from it at most."""

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from registry.errors import BasegateError
from registry.oci.image_reference import is_loopback
from registry.registry_client.addresses import Reach
from registry.registry_client.trust import known_ca_files, tls_context

_HOST = re.compile(r"([a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_HUB = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}
_HUB_NAMES = frozenset({*_HUB, *_HUB.values()})


class EndpointUnusable(BasegateError):
    """The address of a registry cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is waited for and taken from another registry, at most. Seconds, bytes, counts.

    Attributes:
        connect_seconds: until a connection stands.
        silence_seconds: without a byte while one is expected.
        answer_seconds: for a whole small answer: a manifest, a token, a page of a list.
        least_rate: bytes a second of a blob, over each `silence_seconds`; slower ones are given up.
        manifest_bytes: of one manifest.
        page_bytes: of any other small answer: a token, an error, a page of a list.
        pages: of one list.
        redirects: of one request.
        referrers: entries of one list of referrers; one more is read, so that it is seen that there are more.
        attempts: at content that was cut, each without a byte between; every byte that comes begins the count again.
    """

    connect_seconds: float = 10.0
    silence_seconds: float = 30.0
    answer_seconds: float = 60.0
    least_rate: int = 256
    manifest_bytes: int = 4 << 20
    page_bytes: int = 4 << 20
    pages: int = 1000
    redirects: int = 5
    referrers: int = 10_000
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registry's address.

    Attributes:
        host: `HOST[:PORT]` that requests go to, lower case.
        scheme: `https`, or `http`.
        name: `HOST[:PORT]` that credentials are stored for, and people know it by.
        ca_files: authorities trusted beside the system's.
        limits: what is taken from it at most.
        deepest: how far inside its address may be when it is connected to.
    """

    host: str
    scheme: str
    name: str
    ca_files: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=Limits)
    deepest: Reach = Reach.LOOPBACK

    @classmethod
    def parse(
        cls,
        address: str,
        *,
        plain_http: bool = False,
        ca_files: tuple[Path, ...] | None = None,
        limits: Limits | None = None,
    ) -> "Endpoint":
        """Read `HOST[:PORT]` or `http[s]://HOST[:PORT]`; `docker.io` means the registry of Docker Hub.

        A loopback address without a scheme is spoken to in plain HTTP, as docker does, unless there are CA files.

        Args:
            address: without a path.
            plain_http: HTTP although the address is not loopback.
            ca_files: trusted authorities; `None`: those that docker and podman keep for the host.
            limits: `None`: the defaults.

        Raises:
            EndpointUnusable: no such address, or plain HTTP to another machine that was not allowed.
        """
        written, host = _split(address)
        known = known_ca_files(host, Path.home()) if ca_files is None else ca_files
        scheme = written or ("http" if plain_http or (is_loopback(host) and not known) else "https")
        if scheme == "http" and not plain_http and not is_loopback(host):
            raise EndpointUnusable(
                f"{host} would be spoken to in plain HTTP, which anybody between can read and change: write "
                f"https://{host}, or allow plain HTTP for it"
            )
        name = "docker.io" if host in _HUB_NAMES else host
        return cls(_HUB.get(host, host), scheme, name, known, limits or Limits())

    @property
    def url(self) -> str:
        """`SCHEME://HOST[:PORT]`."""
        return f"{self.scheme}://{self.host}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine."""
        return is_loopback(self.host)

    def trust(self) -> ssl.SSLContext:
        """The authorities that are trusted for it; raises TrustUnusable."""
        return tls_context(self.ca_files)


def _split(address: str) -> tuple[str, str]:
    """Scheme ("" when none is written) and `HOST[:PORT]`."""
    shown = address[:255]
    scheme, separator, rest = address.partition("://")
    if not separator:
        scheme, rest = "", address
    host = rest.rstrip("/").lower()
    if (separator and scheme not in {"http", "https"}) or not _HOST.fullmatch(host):
        raise EndpointUnusable(f"{shown!r} is no registry: needs HOST, HOST:PORT or https://HOST:PORT, without a path")
    port = urlsplit(f"//{host}").netloc.rpartition("]")[2].partition(":")[2]
    if port and not 0 < int(port) < 1 << 16:
        raise EndpointUnusable(f"{shown!r} is no registry: {port} is no port, needs 1 to 65535")
    return scheme, host
