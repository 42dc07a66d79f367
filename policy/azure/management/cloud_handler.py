"""The handler of cloud metadata."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.azure.management.cloud import metadata
from policy.azure.management.dispatch import Call
from policy.azure.management.environment import AzureEnvironment


class CloudHandler:
    """Answers `GET /metadata/endpoints`."""

    def __init__(self, environment: Callable[[Request], AzureEnvironment]) -> None:
        self._environment = environment

    async def metadata(self, call: Call) -> Response:
        """GET: where everything is; before anybody has signed in."""
        version = call.request.query_params.get("api-version", "")
        return JSONResponse(metadata(self._environment(call.request), version))
