"""What every page loads: a stylesheet and one script, files that are the same for everybody.

The script is htmx (https://htmx.org, version 2.0.11, Zero-Clause BSD: `static/htmx.LICENSE`), unchanged. Pages are
whole without it.
"""

from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from registry.api.fixed_file import FixedFile
from registry.api.services import Services
from registry.auth.principals import Principal

FOLDER = Path(__file__).parent / "static"
STYLE, SCRIPT = "basegate.css", "htmx.min.js"
_TYPES = {STYLE: "text/css; charset=utf-8", SCRIPT: "text/javascript; charset=utf-8"}


async def stylesheet(_services: Services, request: Request, _principal: Principal) -> Response:
    """GET: the stylesheet, or 304."""
    return _file(request, STYLE)


async def script(_services: Services, request: Request, _principal: Principal) -> Response:
    """GET: the script, or 304."""
    return _file(request, SCRIPT)


def _file(request: Request, name: str) -> Response:
    return _read(name).response(request, {"Cross-Origin-Resource-Policy": "same-origin"})


@cache
def _read(name: str) -> FixedFile:
    return FixedFile.read(FOLDER / name, _TYPES[name])
