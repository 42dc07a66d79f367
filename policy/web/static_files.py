"""What every page loads: a stylesheet and one script, files that are the same for everybody.

The script is htmx (https://htmx.org, version 2.0.11, Zero-Clause BSD: `static/htmx.LICENSE`), unchanged. Pages are
whole without it.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from registry.api.responses import WholeResponse
from registry.api.services import Services
from registry.auth.principals import Principal

FOLDER = Path(__file__).parent / "static"
STYLE, SCRIPT = "basegate.css", "htmx.min.js"
_TYPES = {STYLE: "text/css; charset=utf-8", SCRIPT: "text/javascript; charset=utf-8"}
_NOT_MODIFIED = 304


async def stylesheet(_services: Services, request: Request, _principal: Principal) -> Response:
    """GET: the stylesheet, or 304."""
    return _file(request, STYLE)


async def script(_services: Services, request: Request, _principal: Principal) -> Response:
    """GET: the script, or 304."""
    return _file(request, SCRIPT)


def _file(request: Request, name: str) -> Response:
    content, tag = _content(name)
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Cross-Origin-Resource-Policy": "same-origin"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=_NOT_MODIFIED, headers=headers)
    return WholeResponse(content, headers=headers, media_type=_TYPES[name])


@cache
def _content(name: str) -> tuple[bytes, str]:
    content = (FOLDER / name).read_bytes()
    return content, f'"{sha256(content).hexdigest()[:32]}"'
