"""`/v2/` (end-1): is this a registry, and are the credentials good?"""

from starlette.requests import Request
from starlette.responses import Response

from registry.api.responses import WholeResponse
from registry.api.services import Services
from registry.auth.principals import Principal


async def check(_services: Services, _request: Request, _principal: Principal) -> Response:
    """GET: 200; callers without credentials get 401 with a challenge before this."""
    return WholeResponse(b"{}", media_type="application/json")
