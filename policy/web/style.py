"""The stylesheet: one file, the same for everybody."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from registry.api.responses import WholeResponse
from registry.api.services import Services
from registry.auth.principals import Principal

_FILE = Path(__file__).parent / "static" / "basegate.css"
_NOT_MODIFIED = 304


async def stylesheet(_services: Services, request: Request, _principal: Principal) -> Response:
    """GET: the file, or 304."""
    content, tag = _content()
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Cross-Origin-Resource-Policy": "same-origin"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=_NOT_MODIFIED, headers=headers)
    return WholeResponse(content, headers=headers, media_type="text/css; charset=utf-8")


@cache
def _content() -> tuple[bytes, str]:
    content = _FILE.read_bytes()
    return content, f'"{sha256(content).hexdigest()[:32]}"'
