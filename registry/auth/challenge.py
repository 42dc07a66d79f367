"""The challenge: how a client is told where to get which token (RFC 6750; the form Azure's clients can read).

Azure's clients split the header at commas and spaces: there is no space after a comma and none inside a value, and
they keep only scheme and host of the realm.
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
        """The challenge; several scopes stand in one value with a space between, as the grammar has it.

        The description (RFC 6750 section 3) is what docker prints instead of a sentence of its own. It comes last but
        one, and without commas and quotes, so that clients that split at commas are not misled.
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
    """What the challenges of a request name: the configured URL, else the scheme and host it was sent to.

    Forwarded headers are not read here: the edge has put those of trusted proxies in place already.
    """
    origin = settings.server.public_url.rstrip("/")
    host = origin.partition("://")[2] if origin else host_of(request)
    if not origin:
        scheme = {"ws": "http", "wss": "https"}.get(request.url.scheme, request.url.scheme)
        origin = f"{scheme}://{host}"
    return Challenger(origin, settings.auth.service or host, settings.auth.challenge == "basic")


def host_of(request: HTTPConnection) -> str:
    """The Host header when it is one; a forged one must not break out of the quotes of the challenge."""
    text = request.headers.get("host", "")
    if text and all(c.isascii() and (c.isalnum() or c in ".-:[]_") for c in text):
        return text
    host, port = request.scope.get("server") or ("localhost", None)
    return f"{host}:{port}" if port else str(host)


def _plain(text: str) -> str:
    """A sentence as a quoted-string takes it (RFC 6750: %x20-21 / %x23-5B / %x5D-7E), without commas."""
    return "".join(c for c in text.replace(",", ";") if " " <= c <= "~" and c not in '"\\')
