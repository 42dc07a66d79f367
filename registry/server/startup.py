"""What a server needs to start, or the one line that says why it cannot."""

import re
import socket
import ssl
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from registry.config.settings import RegistrySettings
from registry.errors import BasegateError
from registry.storage.disk.ownership import cautions_on

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^:\[\]]*)):(?P<port>[0-9]{1,5})")


class CannotStart(BasegateError):
    """The message is one line: what was found, what is needed, what to do. The command exits with 2."""


def parse_address(text: str) -> tuple[str, int]:
    """`HOST:PORT` or `[IPv6]:PORT` -> host and port; an empty host is every interface.

    Raises:
        CannotStart: another form, or a port above 65535.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > 65535:
        raise CannotStart(f"listen is {text!r}: needs HOST:PORT, like 127.0.0.1:5000 or [::1]:5000")
    return match["six"] or match["host"], int(match["port"])


def bind(settings: RegistrySettings) -> socket.socket:
    """A listening socket at the address of the settings.

    Raises:
        CannotStart: the address is in use, not on this machine, or not permitted.
    """
    return bind_to(settings.listen, settings.server.backlog, "choose another address with --listen")


def bind_to(address: str, backlog: int, otherwise: str) -> socket.socket:
    """A listening socket; raises CannotStart as `bind` does; `otherwise` says what to do."""
    host, port = parse_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only if the protocol is TCP; without it a response can take 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(backlog)
    except OSError as error:
        bound.close()
        reason = error.strerror or str(error)
        raise CannotStart(f"cannot listen on {address}: {reason}: {otherwise}") from None
    return bound


def cautions(settings: RegistrySettings) -> Iterator[str]:
    """Warnings about risky settings: one sentence each, with what to do.

    Raises:
        CannotStart: `listen` is no address.
    """
    is_public = not _is_loopback(parse_address(settings.listen)[0])
    if is_public and not settings.auth.required:
        yield (
            f"auth.required is false and listen is {settings.listen}: whoever reaches this address may push, pull and "
            "delete everything: set auth.required to true, or listen on 127.0.0.1"
        )
    if is_public and settings.tls_cert is None and not settings.server.public_url.startswith("https://"):
        yield (
            f"listen is {settings.listen} without tls_cert: secrets and images cross the network in the open: "
            "make a certificate with basegate tls init, or listen on 127.0.0.1; where a proxy in front speaks HTTPS, "
            "say so with its address in server.public_url"
        )
    yield from cautions_on(settings.data)


def _is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address; names are compared, not resolved."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def prepare_data(folder: Path) -> Path:
    """Make the data folder if it is absent, readable by its owner only.

    Raises:
        CannotStart: it cannot be made or written.
    """
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotStart(
            f"data folder {folder} cannot be written: {reason}: choose another with --data or change its owner"
        ) from None
    return folder


class Certificate:
    """A TLS certificate in use; a renewed one is used for new connections only."""

    def __init__(self, chain: Path, key: Path) -> None:
        self.chain = chain
        self.key = key
        self.context = _context(chain, key)

    @property
    def files(self) -> tuple[Path, Path]:
        """The chain and the key."""
        return self.chain, self.key

    def turn_to(self, chain: Path, key: Path) -> None:
        """Use these files from now on; `reload` reads them."""
        self.chain, self.key = chain, key

    def reload(self) -> None:
        """Read the files again. Raises CannotStart when they cannot be used; the old certificate then stays in use."""
        _context(self.chain, self.key)
        self.context.load_cert_chain(self.chain, self.key)


def certificate_of(settings: RegistrySettings) -> Certificate | None:
    """The certificate that the settings name, `None` for plain HTTP.

    Raises:
        CannotStart: only one of the two files is named, or they cannot be used.
    """
    if settings.tls_cert is None and settings.tls_key is None:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise CannotStart("TLS needs both tls_cert and tls_key: one of them is missing")
    return Certificate(settings.tls_cert, settings.tls_key)


def _context(chain: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(chain, key, password=_no_password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotStart(f"certificate {chain} with key {key} cannot be used: {reason}") from None
    return context


def _no_password() -> str:
    # Without this OpenSSL would prompt on the terminal.
    return ""
