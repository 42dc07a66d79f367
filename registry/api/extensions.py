"""`/v2/_oci/ext/discover`: the extensions of the API that this registry has (distribution-spec, "Extensions")."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.api.services import Services
from registry.auth.principals import Principal

_EXTENSIONS: list[dict[str, Any]] = [
    {
        "name": "_oci",
        "description": "Finding extensions; the history of tags, as a draft of the specification has it.",
        "url": "https://github.com/opencontainers/distribution-spec/pull/606",
        "endpoints": ["_oci/ext/discover", "_oci/tag-history"],
    }
]


async def discover(_services: Services, _request: Request, _principal: Principal) -> Response:
    """GET: all extensions, which every repository has."""
    return JSONResponse({"extensions": _EXTENSIONS})
