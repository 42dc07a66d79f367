"""The challenge: tells a client where to get which token (RFC 6750, in a form that Azure's clients can parse).

Azure's clients split the header at commas and spaces, so there is no space after a comma or inside a value. They keep
only scheme and host of the realm.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from registry.auth.scopes import Scope
from registry.config.settings import RegistrySettings

TOKEN_PATH = "/oauth2/token"  # noqa: S105
INVALID_TOKEN = "invalid_token"  # noqa: S105
INSUFFICIENT_SCOPE = "insufficient_scope"


@dataclass(frozen=True, slots=True)
class Challenger:
    """Builds the value of `WWW-Authenticate` for one request."""

    origin: str
    service: str
    basic: bool = False

    def challenge(self, scopes: Iterable[Scope] = (), error: str = "", description: str = "") -> str:
        """The challenge; several scopes are one value, separated by spaces.

        Docker prints the description (RFC 6750 section 3) instead of its own message. It is last but one and has no
        commas or quotes, for clients that split at commas.
        """
        if self.basic:
            return f'Basic realm="{self.origin}"'
        parts = [f'Bearer realm="{self.origin}{TOKEN_PATH}"', f'service="{self.service}"']
        wanted = " ".join(map(str, scopes))
        if wanted:
            parts.append(f'scope="{wanted}"')
        if description:
            parts.append(f'error_description="{_plain(description)}"')
        if error:
            parts.append(f'error="{error}"')
        return ",".join(parts)


def challenger(request: HTTPConnection, settings: RegistrySettings) -> Challenger:
    """The challenger of a request: with the configured URL, else the scheme and host of the request.

    Forwarded headers are not read here: the middleware has applied those of trusted proxies.
    """
    origin = settings.server.public_url.rstrip("/")
    host = origin.partition("://")[2] if origin else host_of(request)
    if not origin:
        scheme = {"ws": "http", "wss": "https"}.get(request.url.scheme, request.url.scheme)
        origin = f"{scheme}://{host}"
    return Challenger(origin, settings.auth.service or host, settings.auth.challenge == "basic")


def host_of(request: HTTPConnection) -> str:
    """The Host header, if it is valid; a forged one must not end the quotes of the challenge."""
    text = request.headers.get("host", "")
    if text and all(c.isascii() and (c.isalnum() or c in ".-:[]_") for c in text):
        return text
    host, port = request.scope.get("server") or ("localhost", None)
    return f"{host}:{port}" if port else str(host)


def _plain(text: str) -> str:
    """Text for a quoted-string (RFC 6750: %x20-21 / %x23-5B / %x5D-7E), without commas."""
    return "".join(c for c in text.replace(",", ";") if " " <= c <= "~" and c not in '"\\')
