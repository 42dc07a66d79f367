"""The handlers of ACR Tasks: quick builds, their runs and logs, and the blobs that both are sent through."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.azure.arm_body import read_object
from policy.azure.arm_errors import ArmError
from policy.azure.builds.builders import Target
from policy.azure.builds.builds import Builds
from policy.azure.builds.request import read_request
from policy.azure.builds.run import COMPLETE, Run
from policy.azure.expiring import Expiring
from policy.azure.management.dispatch import Call
from policy.azure.management.environment import REGISTRY_TYPE, AzureEnvironment
from policy.azure.management.resources import within_registry
from registry.api.request_body import read_limited
from registry.auth.sign_in import Identity

_LINKS = 10_000
_PAGE = 100
_WINDOW_MAXIMUM = 1 << 20


class BuildHandlers:
    """The handlers.

    Args:
        builds: does what they ask for.
        environment: Azure as the caller of a request sees it.
        body_bytes: largest JSON body.
        address: HOST:PORT of the registry on this machine.
        link_seconds: how long the address of a log holds.
    """

    def __init__(
        self,
        builds: Builds,
        environment: Callable[[Request], AzureEnvironment],
        body_bytes: Callable[[], int],
        address: Callable[[], str],
        link_seconds: float,
    ) -> None:
        self._builds = builds
        self._environment = environment
        self._body_bytes = body_bytes
        self._address = address
        self._links: Expiring[str] = Expiring(_LINKS, link_seconds)

    async def upload_url(self, call: Call) -> Response:
        """POST: an address for a context."""
        environment = within_registry(call, self._environment(call.request))
        context = self._builds.begin(_caller(call))
        url = f"{environment.url}/blob/contexts/{context.id}?sig={context.key}"
        return JSONResponse({"uploadUrl": url, "relativePath": context.location}, headers=_PRIVATE)

    async def put_context(self, call: Call) -> Response:
        """PUT: a context, whole or in pieces (Blob service: Put Blob, Put Block, Put Block List)."""
        query = call.request.query_params
        contexts = self._builds.contexts
        context = contexts.addressed(call.names["blob"], query.get("sig", ""))
        what = query.get("comp", "")
        if what == "block":
            await contexts.receive_block(context, query.get("blockid", ""), call.request.stream())
        elif what == "blocklist":
            contexts.commit(context, await read_limited(call.request, self._body_bytes() * 16))
        elif what:
            raise ArmError(400, "InvalidQueryParameterValue", f"comp={what[:32]} is not offered: send the blob whole")
        else:
            await contexts.receive(context, call.request.stream())
        return Response(status_code=201)

    async def schedule(self, call: Call) -> Response:
        """POST: build."""
        environment = within_registry(call, self._environment(call.request))
        caller = _caller(call)
        self._builds.require_builder()
        wanted = read_request(await read_object(call.request, self._body_bytes()))
        run = self._builds.schedule(caller, wanted, self._target(environment))
        return JSONResponse(_resource(run, environment))

    async def runs(self, call: Call) -> Response:
        """GET: runs, the newest first."""
        environment = within_registry(call, self._environment(call.request))
        top = call.request.query_params.get("$top", "")
        most = min(int(top), _PAGE) if top.isascii() and top.isdigit() and len(top) < 9 else _PAGE
        found = self._builds.all_visible(_caller(call))[:most]
        return JSONResponse({"value": [_resource(run, environment) for run in found]})

    async def run(self, call: Call) -> Response:
        """GET: one run."""
        environment = within_registry(call, self._environment(call.request))
        return JSONResponse(_resource(self._builds.visible(_caller(call), call.names["run"]), environment))

    async def cancel(self, call: Call) -> Response:
        """POST: end a run."""
        within_registry(call, self._environment(call.request))
        self._builds.cancel(self._builds.visible(_caller(call), call.names["run"]))
        return Response(status_code=200)

    async def log_url(self, call: Call) -> Response:
        """POST: an address for a log."""
        environment = within_registry(call, self._environment(call.request))
        caller = _caller(call)
        run = self._builds.visible(caller, call.names["run"])
        key = secrets.token_urlsafe(32)
        self._links.put(key, run.id, caller.principal.id)
        return JSONResponse({"logLink": f"{environment.url}/blob/logs/{run.id}?sig={key}"}, headers=_PRIVATE)

    async def log(self, call: Call) -> Response:
        """HEAD, GET: the log as far as it is written, whole or a range of it (Blob service: Get Blob)."""
        run_id = call.names["blob"]
        run = self._builds.store.find(run_id)
        if run is None or self._links.get(call.request.query_params.get("sig", "")) != run_id:
            raise ArmError(403, "AuthenticationFailed", "this address is not known or has ended: ask for the log again")
        # First how it stands, then how long it is: whoever is told that it is complete is told its whole length.
        complete = {"x-ms-meta-complete": COMPLETE[run.status]} if run.status.is_over else {}
        path = self._builds.store.log_of(run_id)
        size = path.stat().st_size
        headers = _PRIVATE | complete | {"Content-Type": "text/plain; charset=utf-8", "x-ms-blob-type": "AppendBlob"}
        if call.request.method == "HEAD":
            return Response(headers=headers | {"Content-Length": str(size)})
        window = _window(call.request, size)
        if window is None:
            return Response(_read(path, 0, size), headers=headers)
        content = _read(path, *window)
        told = {"Content-Range": f"bytes {window[0]}-{window[0] + len(content) - 1}/{size}"}
        return Response(content, 206, headers | told)

    def _target(self, environment: AzureEnvironment) -> Target:
        own = environment.registry.lower()
        address = self._address()
        port = address.rpartition(":")[2]
        names = (environment.login_server.lower(), address, f"localhost:{port}", f"{own}.azurecr.io")
        return Target(address, tuple(dict.fromkeys(names)))


_PRIVATE = {"Cache-Control": "no-store"}


def _caller(call: Call) -> Identity:
    if call.caller is None:
        raise ArmError(401, "AuthenticationFailed", "sign in first")
    return call.caller


def _resource(run: Run, environment: AzureEnvironment) -> dict[str, Any]:
    return {
        "id": f"{environment.registry_id}/runs/{run.id}",
        "name": run.id,
        "type": f"{REGISTRY_TYPE}/runs",
        "properties": run.properties(environment.login_server),
    }


def _window(request: Request, size: int) -> tuple[int, int] | None:
    """Begin and length of the range that is asked for; `None` when none is.

    Raises:
        ArmError: it begins behind the end (416), or is no range.
    """
    text = request.headers.get("x-ms-range") or request.headers.get("range") or ""
    if not text:
        return None
    first, dash, last = text.removeprefix("bytes=").strip().partition("-")
    digits = first + last
    if not dash or not first or not (digits.isascii() and digits.isdigit()) or len(digits) > 36:
        raise ArmError(400, "InvalidHeaderValue", f"the range {text[:64]!r} cannot be read: needs bytes=FIRST-LAST")
    begin = int(first)
    end = min(int(last) + 1 if last else size, size, begin + _WINDOW_MAXIMUM)
    if begin >= size or end <= begin:
        raise ArmError(416, "InvalidRange", f"the log has {size} bytes so far")
    return begin, end - begin


def _read(path: Path, begin: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(length)
