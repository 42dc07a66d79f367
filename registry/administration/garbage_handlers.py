"""`/admin/v1/gc` and `/admin/v1/runs`: collecting garbage over HTTP, for owners of the whole registry."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.administration.act import RUNNING, RUNS
from registry.administration.body import Body
from registry.administration.runs import Runs
from registry.api.path_parameters import digest_of
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.content.gc import GarbageCollector
from registry.content.progress import Tell
from registry.maintenance.undo import undo
from registry.metadata.sqlite_store import SqliteStore
from registry.oci.errors import BadRequest, Unsupported
from registry.storage.disk.store import DiskStore
from registry.telemetry.request_record import note_decision

AT_ONCE_SECONDS = 0.5
"""How long a request waits for its run: what is quick is told at once."""
_WAIT_SECONDS = 10.0


class RunHandlers:
    """Begins runs, and tells how far they have come.

    Args:
        runs: of the server.
        body: reads requests.
    """

    def __init__(self, runs: Runs, body: Body) -> None:
        self._runs = runs
        self._body = body

    async def begin(self, kind: str, principal: Principal, work: Callable[[Tell], Awaitable[Any]]) -> Response:
        """Begin a run: 200 with it when it has ended already, else 202 and where to ask for it."""
        run = self._runs.begin(kind, principal.name, work)
        await self._runs.wait(run, AT_ONCE_SECONDS)
        ended = run.state != RUNNING
        place = {} if ended else {"Location": f"{RUNS}/{run.id}"}
        return JSONResponse(run.document(), 200 if ended else 202, place)

    async def show(self, _services: Services, request: Request, _principal: Principal) -> Response:
        """GET: one run; with `?wait=yes` the answer comes when it ends, or within ten seconds."""
        run = self._runs.find(str(request.path_params["run"]))
        if request.query_params.get("wait") == "yes":
            await self._runs.wait(run, _WAIT_SECONDS)
        return JSONResponse(run.document())

    async def plan(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: what the next collection would remove."""
        await self._body.members(request, ())

        async def work(tell: Tell) -> dict[str, Any]:
            return asdict(await _collector(services).plan(tell))

        return await self.begin("gc.plan", principal, work)

    async def collect(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: collect now."""
        unknown_too = (await self._body.members(request, ("unknown_too",))).get("unknown_too", False)
        if not isinstance(unknown_too, bool):
            raise BadRequest("unknown_too is no truth value: send true or false")
        note_decision(request, "unknown_too=true" if unknown_too else "")

        async def work(tell: Tell) -> dict[str, Any]:
            return asdict(await _collector(services).run(unknown_too=unknown_too, tell=tell))

        return await self.begin("gc.run", principal, work)

    async def undo(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: bring back what the last collection has removed."""
        await self._body.members(request, ())
        storage, metadata = services.stores.storage, services.stores.metadata
        if not isinstance(storage, DiskStore) or not isinstance(metadata, SqliteStore):
            raise Unsupported("this registry does not keep its blobs in a folder: nothing can be brought back")

        async def work(_tell: Tell) -> dict[str, Any]:
            sparse = services.stores.settings.current.manifests.sparse_indexes
            return asdict(await undo(storage, metadata, sparse=sparse))

        return await self.begin("gc.undo", principal, work)


async def explain(services: Services, request: Request, _principal: Principal) -> Response:
    """GET: why content is kept."""
    return JSONResponse(asdict(await _collector(services).explain(digest_of(request))))


def _collector(services: Services) -> GarbageCollector:
    stores = services.stores
    return GarbageCollector(stores.storage, stores.metadata, stores.settings)
