"""`/acr/…`: Azure Container Registry's own API, which is not here yet.

A 404 would be worse: Microsoft's SDK takes it for "deleted".
"""

from starlette.requests import Request
from starlette.responses import Response

from registry.api.services import Services
from registry.auth.principals import Principal
from registry.oci.errors import MethodNotAllowed


async def absent(_services: Services, request: Request, _principal: Principal) -> Response:
    """Every method: 405 for who has signed in."""
    message = f"{request.method} is not offered here: this registry has no /acr/ API, use /v2/ or the command line"
    raise MethodNotAllowed(message, headers={"Allow": ""})
