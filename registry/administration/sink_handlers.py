"""`/admin/v1/sinks`: sinks of events over HTTP, for owners of the whole registry."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.administration.body import Body
from registry.administration.sinks import Sinks
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.oci.errors import BadRequest
from registry.telemetry.request_record import note_decision

_LARGEST = 2**63 - 1


async def list_sinks(services: Services, _request: Request, _principal: Principal) -> Response:
    """GET: all that were ever told anything, and how far each is behind."""
    return JSONResponse(await _sinks(services).listed())


class SinkHandlers:
    """What has a body.

    Args:
        body: reads it.
    """

    def __init__(self, body: Body) -> None:
        self._body = body

    async def replay(self, services: Services, request: Request, _principal: Principal) -> Response:
        """POST `{"after": ID}`: it is told once more what came after an event."""
        after = (await self._body.members(request, ("after",))).get("after")
        if isinstance(after, bool) or not isinstance(after, int) or not 0 <= after <= _LARGEST:
            raise BadRequest("after is no number of an event: send 0 for everything that is kept")
        name = _name(request)
        note_decision(request, f"sink={name[:64]} after={after}")
        return JSONResponse(await _sinks(services).moved(name, after))

    async def test(self, services: Services, request: Request, _principal: Principal) -> Response:
        """POST: it is sent something that tells it nothing; the answer has its problem, or ""."""
        await self._body.members(request, ())
        name = _name(request)
        note_decision(request, f"sink={name[:64]}")
        return JSONResponse(await _sinks(services).tried(name))


def _name(request: Request) -> str:
    return str(request.path_params["sink"])


def _sinks(services: Services) -> Sinks:
    return Sinks(services.stores.metadata, services.stores.settings)
