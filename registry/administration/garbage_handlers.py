"""`/admin/v1/gc` and `/admin/v1/trash`: garbage over HTTP, for owners of the whole registry."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.administration.garbage import Garbage
from registry.administration.run_handlers import RunBeginner
from registry.api.paging import last_of
from registry.api.path_parameters import digest_of
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.oci.errors import BadRequest
from registry.telemetry.request_record import note_decision


class GarbageHandlers(RunBeginner):
    """Begins runs on garbage."""

    async def plan(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: what the next collection would remove."""
        await self._body.members(request, ())
        return await self._runs.begin("gc.plan", principal, _garbage(services).planned)

    async def collect(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: collect now."""
        unknown_too = (await self._body.members(request, ("unknown_too",))).get("unknown_too", False)
        if not isinstance(unknown_too, bool):
            raise BadRequest("unknown_too is no truth value: send true or false")
        note_decision(request, "unknown_too=true" if unknown_too else "")
        garbage = _garbage(services)
        return await self._runs.begin(
            "gc.run", principal, lambda tell: garbage.collected(tell, unknown_too=unknown_too)
        )

    async def undo(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: bring back what the last collection has removed."""
        await self._body.members(request, ())
        garbage = _garbage(services)
        return await self._runs.begin("gc.undo", principal, lambda _tell: garbage.restored())

    async def restore(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST `{"run": NAME}`: bring back what one run has removed."""
        run = (await self._body.members(request, ("run",))).get("run")
        if not isinstance(run, str) or not run:
            raise BadRequest('the body does not say what is to be brought back: send {"run": NAME}, see the trash')
        note_decision(request, f"run={run[:64]}")
        garbage = _garbage(services)
        return await self._runs.begin("trash.restore", principal, lambda _tell: garbage.restored(run))

    async def empty(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: remove everything in the trash for good."""
        await self._body.members(request, ())
        garbage = _garbage(services)
        return await self._runs.begin("trash.empty", principal, lambda _tell: garbage.emptied())


async def explain(services: Services, request: Request, _principal: Principal) -> Response:
    """GET: why content is kept."""
    return JSONResponse(await _garbage(services).explained(digest_of(request)))


async def list_trash(services: Services, request: Request, _principal: Principal) -> Response:
    """GET: a page of what was removed and can be brought back, run by run."""
    return JSONResponse(await _garbage(services).listed(last_of(request)))


def _garbage(services: Services) -> Garbage:
    stores = services.stores
    return Garbage(services.collector, stores.storage, stores.metadata, stores.settings)
