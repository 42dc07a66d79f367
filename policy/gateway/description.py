"""`/openapi.yaml`: the description of basegate's own endpoints (OpenAPI 3.1), for anybody."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from registry.api.responses import WholeResponse
from registry.api.services import Services
from registry.auth.principals import Principal

_FILE = Path(__file__).parent / "openapi.yaml"
_NOT_MODIFIED = 304


async def show_description(_services: Services, request: Request, _principal: Principal) -> Response:
    """GET: the file, or 304."""
    content, tag = _content()
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=_NOT_MODIFIED, headers=headers)
    return WholeResponse(content, headers=headers, media_type="application/yaml")


@cache
def description() -> dict[str, Any]:
    """The description as data; it takes a good part of a second to read, this once."""
    import yaml  # noqa: PLC0415 - for the page alone

    document: dict[str, Any] = yaml.safe_load(_content()[0])
    return document


@cache
def _content() -> tuple[bytes, str]:
    content = _FILE.read_bytes()
    return content, f'"{sha256(content).hexdigest()[:32]}"'
