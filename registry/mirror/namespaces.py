"""`?ns=`: a client of a mirror names the registry that it means (distribution-spec, "Registry Proxying").

`GET /v2/library/python/manifests/3.6?ns=docker.io` means the repository below the prefix of that upstream. Unknown
namespaces are ignored, and so is the parameter of anything but reads.
"""

from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.config.upstreams import UpstreamSettings

_BEGINNING = "/v2/"
_READS = frozenset({"GET", "HEAD"})


class Namespaces:
    """An ASGI application around the registry's.

    Args:
        app: the registry.
        upstreams: each has its name.
    """

    def __init__(self, app: ASGIApp, upstreams: Iterable[UpstreamSettings]) -> None:
        self._app = app
        self._prefixes = {upstream.host: upstream.prefix for upstream in upstreams}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, of the repository that is meant."""
        name = self._namespace(scope)
        if name is None:
            await self._app(scope, receive, send)
            return
        rest = scope["path"][len(_BEGINNING) :]
        path = f"{_BEGINNING}{self._prefixes[name]}/{rest}"
        meant = {**scope, "path": path, "raw_path": path.encode()}

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["OCI-Namespace"] = name
            await send(message)

        await self._app(meant, receive, named)

    def _namespace(self, scope: Scope) -> str | None:
        """The namespace of a read that an upstream has; `None` for everything else."""
        if scope["type"] != "http" or not scope["query_string"] or scope["method"] not in _READS:
            return None
        path = scope["path"]
        if not path.startswith(_BEGINNING) or path == _BEGINNING or path.startswith(f"{_BEGINNING}_"):
            return None
        if "/blobs/uploads/" in path:
            return None
        named = parse_qs(scope["query_string"].decode("latin-1")).get("ns", [])
        return named[0] if len(named) == 1 and named[0] in self._prefixes else None
