"""`/openapi.yaml`: the description of basegate's own endpoints (OpenAPI 3.1), for anybody."""

from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from registry.api.fixed_file import FixedFile
from registry.api.services import Services
from registry.auth.principals import Principal


async def show_description(_services: Services, request: Request, _principal: Principal) -> Response:
    """GET: the file, or 304."""
    return _file().response(request)


@cache
def description() -> dict[str, Any]:
    """The description as data; it takes a good part of a second to read, this once."""
    import yaml  # noqa: PLC0415 - for the page alone

    document: dict[str, Any] = yaml.safe_load(_file().content)
    return document


@cache
def _file() -> FixedFile:
    return FixedFile.read(Path(__file__).parent / "openapi.yaml", "application/yaml")
