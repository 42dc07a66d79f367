"""Signing in to another registry: Basic, or tokens that are kept until shortly before their end.

Credentials go to the registry, and to the token service that it names, as distribution's token authentication has it;
never anywhere that a redirection leads to.
"""

import asyncio
import base64
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from registry.oci.image_reference import is_loopback
from registry.registry_client.addresses import require_followable
from registry.registry_client.answer import Answer, error_of, read_small, transport_errors, within_time
from registry.registry_client.challenge import Challenge
from registry.registry_client.credentials import TOKEN_USER, Credentials, CredentialsUnusable
from registry.registry_client.endpoint import Endpoint
from registry.registry_client.errors import SignInRefused, Unusable

Login = Callable[[], Credentials | None]
"""Looks credentials up when they are needed; `None`: anonymously. It may read files, and block."""

_KEPT = 1000
_LIFE = 60.0
_MARGIN = 10.0
_TOKEN_BYTES = 256 << 10
"""Of an answer of a token service; tokens are some KiB."""
_NO_POST = frozenset({400, 404, 405})


@dataclass(frozen=True, slots=True)
class _Kept:
    header: str
    until: float


class SignIn:
    """The Authorization field for each scope.

    Args:
        endpoint: the registry.
        http: sends the requests.
        login: asked for credentials each time that some are needed, so that changed ones count.
    """

    def __init__(self, endpoint: Endpoint, http: httpx.AsyncClient, login: Login) -> None:
        self._endpoint = endpoint
        self._http = http
        self._login = login
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._turn = asyncio.Lock()

    def known(self, scope: str) -> str:
        """The field that was good for this scope last, while it lasts; else ""."""
        kept = self._kept.get(scope)
        return kept.header if kept is not None and time.monotonic() < kept.until else ""

    async def answer(self, challenges: Sequence[Challenge], scope: str, refused: str) -> str:
        """A field for the challenges of a 401.

        Args:
            challenges: what the registry offers.
            scope: `repository:NAME:pull`, or "" for none.
            refused: the field that was refused, "" for none.

        Raises:
            SignInRefused: there are no credentials, or they are refused.
            Unreachable, Unusable: the token service does not answer, or is somewhere it must not be.
        """
        async with self._turn:
            known = self.known(scope)
            if known and known != refused:  # another request has signed in meanwhile
                return known
            self._kept.pop(scope, None)
            kept = await self._sign_in(challenges, scope)
            self._kept[scope] = kept
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return kept.header

    async def _sign_in(self, challenges: Sequence[Challenge], scope: str) -> _Kept:
        try:
            login = await asyncio.to_thread(self._login)
        except CredentialsUnusable as error:
            raise SignInRefused(str(error)) from None
        for challenge in challenges:
            if challenge.scheme == "bearer" and challenge.parameters.get("realm"):
                return await self._token(challenge, scope, login)
            if challenge.scheme == "basic" and login is not None:
                return _Kept(_basic(login), float("inf"))
        name = self._endpoint.name
        raise SignInRefused(f"{name} asks for credentials, and there are none for it: basegate login {name}")

    async def _token(self, challenge: Challenge, scope: str, login: Credentials | None) -> _Kept:
        realm = challenge.parameters["realm"]
        watched = await self._require_realm(realm)
        scopes = [scope, *challenge.parameters.get("scope", "").split()]
        asked = {"service": challenge.parameters.get("service", ""), "client_id": "basegate"}
        wanted = [each for each in dict.fromkeys(scopes) if each]
        answer = None
        if login is not None and login.username == TOKEN_USER:
            form = {**asked, "grant_type": "refresh_token", "refresh_token": login.password, "scope": " ".join(wanted)}
            answer = await self._send("POST", realm, data=form, extensions=watched)
        if answer is None or answer.status in _NO_POST:
            query = urlencode([*asked.items(), *(("scope", each) for each in wanted)])
            headers = {"Authorization": _basic(login)} if login else {}
            url = f"{realm}{'&' if '?' in realm else '?'}{query}"
            answer = await self._send("GET", url, headers=headers, extensions=watched)
        return self._read(answer, login)

    def _read(self, answer: Answer, login: Credentials | None) -> _Kept:
        name = self._endpoint.name
        if answer.status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            who = f"the credentials of {login.username} (from {login.source})" if login else "callers without any"
            raise SignInRefused(f"the token service of {name} refuses {who}: basegate login {name}")
        if answer.status != httpx.codes.OK:
            raise error_of(self._endpoint, answer, "token")
        document = answer.json()
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise Unusable(f"the token service of {name} answered without a token: is it one?")
        return _Kept(f"Bearer {token}", time.monotonic() + _life(document.get("expires_in")))

    async def _require_realm(self, realm: str) -> Mapping[str, Any]:
        """Extensions of a request to a token service; raises Unusable for one that credentials must not go to."""
        parts = urlsplit(realm)
        plain = parts.scheme == "http" and (self._endpoint.scheme == "http" or is_loopback(parts.netloc))
        if (parts.scheme != "https" and not plain) or not parts.hostname or "@" in parts.netloc:
            raise Unusable(f"{self._endpoint.name} names {realm[:255]!r} as its token service: needs an https address")
        endpoint = self._endpoint
        return await require_followable(endpoint.host, parts.netloc.lower(), parts.scheme, endpoint.deepest)

    async def _send(self, method: str, url: str, **parts: Any) -> Answer:
        with transport_errors(self._endpoint):
            async with within_time(self._endpoint), self._http.stream(method, url, **parts) as response:
                return await read_small(self._endpoint, response, min(_TOKEN_BYTES, self._endpoint.limits.page_bytes))


def _basic(login: Credentials) -> str:
    return "Basic " + base64.b64encode(f"{login.username}:{login.password}".encode()).decode("ascii")


def _life(seconds: Any) -> float:
    """How long a token is used; distribution's documents say 60 s where nothing is said."""
    known = isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0
    life = float(seconds) if known else _LIFE
    return life - _MARGIN if life > 2 * _MARGIN else life / 2
