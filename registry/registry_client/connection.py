"""Requests to one registry: signed in, redirections followed with care, and errors that say what happened."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from registry.oci.image_reference import is_loopback
from registry.registry_client.addresses import require_followable, within
from registry.registry_client.answer import Answer, read_small, transport_errors, within_time
from registry.registry_client.challenge import challenges_of
from registry.registry_client.endpoint import Endpoint
from registry.registry_client.errors import Unusable
from registry.registry_client.sign_in import Login, SignIn

Body = Callable[[], AsyncIterator[bytes]]
"""Begins the body of a request; called again when the request has to be made again."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_READS = frozenset({"GET", "HEAD"})
_CONNECTIONS = 32
_FIELDS = {"Accept-Encoding": "identity", "User-Agent": "basegate", "Basegate-Purpose": "copy"}
"""What another basegate is told so that a copy or a verification is no last pull there."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Attributes:
        method: GET, HEAD, POST, …
        url: a path on the registry, or a whole URL that it gave.
        scope: what a token must be good for; "" for none.
        headers: further fields.
        body: `None`: none.
    """

    method: str
    url: str
    scope: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | bytes | None = None

    @property
    def repeatable(self) -> bool:
        """Whether asking twice is as good as asking once (RFC 9110, section 9.2.2).

        That is so of reads, of a manifest's PUT, and of the POST that opens an upload: one that nobody goes on with
        is collected. The PUT that closes an upload is not: the upload has gone when it is asked again.
        """
        return self.method in _READS or (self.body is None if self.method == "POST" else isinstance(self.body, bytes))


class Connection:
    """A pool of connections to one registry.

    Args:
        endpoint: where it is.
        login: who calls.
    """

    def __init__(self, endpoint: Endpoint, login: Login) -> None:
        limits = endpoint.limits
        self.endpoint = endpoint
        self._http = httpx.AsyncClient(
            verify=endpoint.trust() if endpoint.scheme == "https" else True,
            timeout=httpx.Timeout(limits.silence_seconds, connect=limits.connect_seconds, pool=None),
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS // 2),
            trust_env=not endpoint.is_loopback,
            follow_redirects=False,
            headers=_FIELDS,
        )
        self._sign_in = SignIn(endpoint, self._http, login)
        self._own = within(endpoint.deepest, endpoint.host)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    @asynccontextmanager
    async def exchange(self, asked: Asked) -> AsyncIterator[httpx.Response]:
        """The answer to a request, its body not read yet.

        A GET or HEAD follows redirections, without credentials where they lead to another host.

        Raises:
            SignInRefused, Unreachable, Unusable: no answer that counts; other statuses are the caller's.
        """
        with transport_errors(self.endpoint):
            response = await self._signed_in(asked)
            try:
                response = await self._followed(asked, response)
                yield response
            finally:
                await response.aclose()

    async def small(self, asked: Asked, maximum: int = 0) -> Answer:
        """A whole answer of at most so many bytes (0: `page_bytes`), within `answer_seconds`."""
        async with within_time(self.endpoint), self.exchange(asked) as response:
            return await read_small(self.endpoint, response, maximum or self.endpoint.limits.page_bytes)

    async def _signed_in(self, asked: Asked) -> httpx.Response:
        url = urljoin(self.endpoint.url, asked.url)
        if not self._is_own(url):
            return await self._elsewhere(asked, url)
        known = self._sign_in.known(asked.scope)
        response = await self._send(asked, url, known, self._own)
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return response
        challenges = challenges_of(response.headers.get_list("www-authenticate"))
        await response.aclose()
        authorization = await self._sign_in.answer(challenges, asked.scope, known)
        return await self._send(asked, url, authorization, self._own)

    async def _followed(self, asked: Asked, response: httpx.Response) -> httpx.Response:
        for _ in range(self.endpoint.limits.redirects):
            target = response.headers.get("location", "")
            if response.status_code not in _REDIRECTS or asked.method not in _READS or not target:
                return response
            await response.aclose()
            url = urljoin(str(response.url), target)
            if self._is_own(url):
                response = await self._send(asked, url, self._sign_in.known(asked.scope), self._own)
            else:
                response = await self._elsewhere(asked, url)
        if response.status_code in _REDIRECTS:
            await response.aclose()
            raise Unusable(f"{self.endpoint.name} leads on and on for {asked.url}: its redirections have no end")
        return response

    async def _elsewhere(self, asked: Asked, url: str) -> httpx.Response:
        """Ask another host, without credentials."""
        parts = urlsplit(url)
        if parts.scheme != "https" and not (
            parts.scheme == "http" and (self.endpoint.scheme == "http" or is_loopback(parts.netloc))
        ):
            raise Unusable(f"{self.endpoint.name} leads to {url[:255]!r}: only https is followed")
        host = parts.netloc.rpartition("@")[2].lower()
        watched = await require_followable(self.endpoint.host, host, parts.scheme, self.endpoint.deepest)
        return await self._send(asked, url, "", watched)

    async def _send(self, asked: Asked, url: str, authorization: str, extensions: Mapping[str, Any]) -> httpx.Response:
        try:
            return await self._send_once(asked, url, authorization, extensions)
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            if not asked.repeatable or isinstance(error, httpx.ConnectError):
                raise
        # A kept connection may have been closed by the other side just now: a new one tells.
        return await self._send_once(asked, url, authorization, extensions)

    async def _send_once(
        self, asked: Asked, url: str, authorization: str, extensions: Mapping[str, Any]
    ) -> httpx.Response:
        headers = {**asked.headers, **({"Authorization": authorization} if authorization else {})}
        content = asked.body() if callable(asked.body) else asked.body
        request = self._http.build_request(asked.method, url, headers=headers, content=content, extensions=extensions)
        self._http.cookies.clear()
        return await self._http.send(request, stream=True)

    def _is_own(self, url: str) -> bool:
        """Whether a URL is the registry's own: the same scheme, host and port."""
        theirs, own = httpx.URL(url), httpx.URL(self.endpoint.url)
        return (theirs.scheme, theirs.host, _port(theirs)) == (own.scheme, own.host, _port(own)) and not theirs.userinfo


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)
