"""The route table: methods, path, requirement, operation, handler."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from registry.api import (
    blobs,
    catalog,
    extensions,
    health,
    manifests,
    path_parameters,
    referrers,
    root,
    tag_history,
    tags,
    tokens,
    uploads,
)
from registry.api.errors import note_invalid_name, respond
from registry.api.own_site import require_own_site
from registry.api.path_table import Paths
from registry.api.requirements import Requirement, authorise
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.oci.errors import NameInvalid
from registry.telemetry.request_record import request_record_of

Handler = Callable[[Services, Request, Principal], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        methods: separated by spaces.
        path: with Starlette's parameters.
        needs: what the caller must be allowed to do.
        operation: noun and verb, for logs, metrics and the audit log: `manifests.push`. It outlives names in the code.
        handler: the endpoint.
        varies_by: the request headers, in lower case, that the handler reads beside `Authorization`, when its answers
            to GET and HEAD may be given to the same caller again until metadata, gate or settings change; else `None`.
    """

    methods: str
    path: str
    needs: Requirement
    operation: str
    handler: Handler
    varies_by: frozenset[str] | None = None


_NOTHING: frozenset[str] = frozenset()
_ETAG = frozenset({"if-none-match"})
_PARTS = frozenset({"if-none-match", "if-range", "range"})

TABLE: tuple[Row, ...] = (
    Row("GET HEAD", "/v2/", Requirement.SIGNED_IN, "root.check", root.check, _NOTHING),
    Row("GET HEAD", "/v2", Requirement.SIGNED_IN, "root.check", root.check, _NOTHING),
    Row("GET HEAD", "/v2/_catalog", Requirement.CATALOG, "catalog.page", catalog.page, _NOTHING),
    Row("GET HEAD", "/v2/_oci/ext/discover", Requirement.SIGNED_IN, "extensions.list", extensions.discover, _NOTHING),
    Row(
        "GET HEAD",
        "/v2/{name:repository}/_oci/ext/discover",
        Requirement.PULL,
        "extensions.list",
        extensions.discover,
        _NOTHING,
    ),
    Row("GET HEAD", "/v2/{name:repository}/tags/list", Requirement.PULL, "tags.page", tags.page, _NOTHING),
    Row(
        "GET HEAD",
        "/v2/{name:repository}/_oci/tag-history/{tag}",
        Requirement.PULL,
        "tags.history",
        tag_history.page,
        _NOTHING,
    ),
    Row(
        "GET HEAD",
        "/v2/{name:repository}/referrers/{digest}",
        Requirement.PULL,
        "referrers.page",
        referrers.page,
        _NOTHING,
    ),
    Row(
        "GET HEAD",
        "/v2/{name:repository}/manifests/{reference}",
        Requirement.PULL,
        "manifests.pull",
        manifests.pull,
        _ETAG,
    ),
    Row("PUT", "/v2/{name:repository}/manifests/{reference}", Requirement.PUSH, "manifests.push", manifests.push),
    Row(
        "DELETE",
        "/v2/{name:repository}/manifests/{reference}",
        Requirement.DELETE,
        "manifests.delete",
        manifests.delete,
    ),
    Row("POST", "/v2/{name:repository}/blobs/uploads/", Requirement.PUSH, "uploads.start", uploads.start),
    Row("POST", "/v2/{name:repository}/blobs/uploads", Requirement.PUSH, "uploads.start", uploads.start),
    Row(
        "GET HEAD", "/v2/{name:repository}/blobs/uploads/{upload}", Requirement.UPLOAD, "uploads.status", uploads.status
    ),
    Row("PATCH", "/v2/{name:repository}/blobs/uploads/{upload}", Requirement.UPLOAD, "uploads.append", uploads.append),
    Row("PUT", "/v2/{name:repository}/blobs/uploads/{upload}", Requirement.UPLOAD, "uploads.finish", uploads.finish),
    Row("DELETE", "/v2/{name:repository}/blobs/uploads/{upload}", Requirement.UPLOAD, "uploads.cancel", uploads.cancel),
    Row("GET HEAD", "/v2/{name:repository}/blobs/{digest}", Requirement.PULL, "blobs.pull", blobs.pull, _PARTS),
    Row("DELETE", "/v2/{name:repository}/blobs/{digest}", Requirement.DELETE, "blobs.delete", blobs.delete),
    Row("GET HEAD", "/oauth2/token", Requirement.NOTHING, "tokens.grant", tokens.grant),
    Row("POST", "/oauth2/token", Requirement.NOTHING, "tokens.redeem", tokens.redeem),
    Row("POST", "/oauth2/exchange", Requirement.NOTHING, "tokens.exchange", tokens.exchange),
    Row("GET HEAD", "/healthz", Requirement.NOTHING, "health.alive", health.alive),
    Row("GET HEAD", "/readyz", Requirement.NOTHING, "health.ready", health.ready),
    Row("GET HEAD", "/metrics", Requirement.NOTHING, "health.metrics", health.metrics),
)

SAFE_METHODS = frozenset({"GET", "HEAD"})


def mutating(table: Sequence[Row] = TABLE) -> list[tuple[str, str]]:
    """Method and path of every route that changes content; tests walk it. Handing out tokens changes none."""
    rows = [row for row in table if row.needs is not Requirement.NOTHING]
    return [(method, row.path) for row in rows for method in row.methods.split() if method not in SAFE_METHODS]


def with_more(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The table with the rows of an extension, in the order in which a path is looked for.

    Whatever takes the rest of a path comes last, the longest beginning first, so that it hides nothing.

    Raises:
        ValueError: a row is below `/v2`, or answers a method and path that another row answers.
    """
    taken = {(method, row.path): row for row in TABLE for method in row.methods.split()}
    for row in rows:
        if row.path == "/v2" or row.path.startswith("/v2/"):
            raise ValueError(f"{row.operation} answers {row.path}: /v2/ is the registry's own, choose another path")
        for method in row.methods.split():
            other = taken.setdefault((method, row.path), row)
            if other is not row:
                raise ValueError(f"{other.operation} and {row.operation} both answer {method} {row.path}")
    return tuple(sorted((*TABLE, *rows), key=_rest_of_path))


def _rest_of_path(row: Row) -> int:
    beginning, rest, _ = row.path.partition(":path}")
    return -len(beginning.partition("{")[0]) if rest else -sys.maxsize


def build(services: Services, table: Sequence[Row] = TABLE) -> list[Route]:
    """One Starlette route for each path, so that a 405 can name every method of the path."""
    path_parameters.register()
    return [_Path(path, _any_of(ends), methods=list(ends)) for path, ends in _endpoints(services, table).items()]


class _Path(Route):
    """The route of a path. One whose repository would have an invalid name is another path, as far as there is one."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As Starlette asks; what is wrong with a name is noted for `errors`, which tells it when no path matches."""
        try:
            return super().matches(scope)
        except NameInvalid as invalid:
            note_invalid_name(scope, invalid)
            return Match.NONE, {}


class Dispatch:
    """Dispatches the table's simple paths without a search through all routes; the rest goes to the router.

    Args:
        services: for the handlers.
        others: the application with all routes, which answers 404 and 405 too.
        table: the rows.
    """

    def __init__(self, services: Services, others: ASGIApp, table: Sequence[Row] = TABLE) -> None:
        self._paths = Paths(_endpoints(services, table))
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        route = self._paths.find(scope["path"]) if scope["type"] == "http" and not scope.get("root_path") else None
        endpoint = None if route is None else route[0].get(scope["method"])
        if route is None or endpoint is None:
            await self._others(scope, receive, send)
            return
        scope["path_params"] = route[1]
        await respond(endpoint, Request(scope, receive, send), send)


def _endpoints(services: Services, table: Sequence[Row]) -> dict[str, dict[str, Endpoint]]:
    """By path and method."""
    paths: dict[str, dict[str, Endpoint]] = {}
    for row in table:
        paths.setdefault(row.path, {}).update(dict.fromkeys(row.methods.split(), _endpoint(services, row)))
    return paths


def _any_of(endpoints: dict[str, Endpoint]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await endpoints[request.method](request)

    return endpoint


def _endpoint(services: Services, row: Row) -> Endpoint:
    operation, needs, handler = row.operation, row.needs, row.handler
    is_administration = row.path.startswith("/admin/")

    async def endpoint(request: Request) -> Response:
        request_record = request_record_of(request.scope)
        if request_record is not None:
            request_record.operation = operation
            request_record.repository = request.path_params.get("name")
            request_record.reference = _reference(request.path_params)
        if is_administration and request.method not in {"GET", "HEAD"}:
            require_own_site(request, services.stores.settings.current)
        try:
            principal = await authorise(needs, services, request)
        finally:
            if request_record is not None:
                request_record.principal = services.access.caller(request)
        return await handler(services, request, principal)

    return endpoint


def _reference(parameters: dict[str, Any]) -> str:
    for name, value in parameters.items():
        if name != "name":
            return str(value)
    return ""
