"""`/healthz`, `/readyz` and `/metrics`: for operators and monitoring."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.api.responses import WholeResponse
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.oci.errors import NotFound

_AGAIN_SECONDS = "1"


async def alive(_services: Services, _request: Request, _principal: Principal) -> Response:
    """GET: 200 as long as the process answers."""
    return JSONResponse({"status": "alive"})


async def ready(services: Services, _request: Request, _principal: Principal) -> Response:
    """GET: 200 when content can be read and written; 503 with the reason, and `Retry-After`, when not."""
    problems = await services.readiness.problems()
    state = "ready" if not problems else "not ready"
    headers = {"Retry-After": _AGAIN_SECONDS} if problems else {}
    return JSONResponse({"status": state, "problems": problems}, 503 if problems else 200, headers)


async def metrics(services: Services, _request: Request, _principal: Principal) -> Response:
    """GET: the counters in Prometheus' text form; 404 when switched off."""
    if not services.stores.settings.current.operations.metrics:
        raise NotFound("metrics are switched off here (setting operations.metrics)")
    return WholeResponse(services.metrics.render(), media_type=services.metrics.content_type)
