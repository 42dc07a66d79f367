"""What every page loads: a stylesheet and two scripts, files that are the same for everybody.

One script is htmx (https://htmx.org, version 2.0.11, Zero-Clause BSD: `static/htmx.LICENSE`), unchanged; the other adds
rows that come, and buttons that copy. Pages are whole without them.
"""

from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from registry.api.fixed_file import FixedFile
from registry.api.services import Services
from registry.auth.principals import Principal

FOLDER = Path(__file__).parent / "static"
STYLE, SCRIPT, LIVE = "basegate.css", "htmx.min.js", "basegate.js"
_JAVASCRIPT = "text/javascript; charset=utf-8"
_TYPES = {STYLE: "text/css; charset=utf-8", SCRIPT: _JAVASCRIPT, LIVE: _JAVASCRIPT}


async def stylesheet(_services: Services, request: Request, _principal: Principal) -> Response:
    """GET: the stylesheet, or 304."""
    return _file(request, STYLE)


async def script(_services: Services, request: Request, _principal: Principal) -> Response:
    """GET: htmx, or 304."""
    return _file(request, SCRIPT)


async def live_script(_services: Services, request: Request, _principal: Principal) -> Response:
    """GET: the script of this package, or 304."""
    return _file(request, LIVE)


def _file(request: Request, name: str) -> Response:
    return _read(name).response(request, {"Cross-Origin-Resource-Policy": "same-origin"})


@cache
def _read(name: str) -> FixedFile:
    return FixedFile.read(FOLDER / name, _TYPES[name])
