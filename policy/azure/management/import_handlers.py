"""The handlers of `az acr import`: it is begun, and asked for until it is over."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from policy.azure.arm_body import read_object
from policy.azure.arm_errors import ArmError, refused_by_registry
from policy.azure.imports.request import read_import
from policy.azure.management.dispatch import Call
from policy.azure.management.environment import AzureEnvironment
from policy.azure.management.resources import within_registry
from registry.auth.sign_in import Identity

if TYPE_CHECKING:
    from policy.azure.imports.imports import Imports

_WAIT = {"Retry-After": "1", "Cache-Control": "no-store"}


class ImportHandlers:
    """The handlers.

    Args:
        imports: does what they ask for.
        environment: Azure as the caller of a request sees it.
        body_bytes: largest JSON body.
    """

    def __init__(
        self, imports: "Imports", environment: Callable[[Request], AzureEnvironment], body_bytes: Callable[[], int]
    ) -> None:
        self._imports = imports
        self._environment = environment
        self._body_bytes = body_bytes

    async def begin(self, call: Call) -> Response:
        """POST: begin; the answer says where to ask."""
        environment = within_registry(call, self._environment(call.request))
        document = await read_object(call.request, self._body_bytes())
        own = frozenset({environment.login_server.lower(), f"{environment.registry.lower()}.azurecr.io"})
        with refused_by_registry():
            code = await self._imports.begin(_caller(call), read_import(document, own, environment.registry_id))
        location = f"{environment.url}{environment.registry_id}/importStatus/{code}"
        return Response(status_code=202, headers={**_WAIT, "Location": location})

    async def status(self, call: Call) -> Response:
        """GET: 202 while it is under way, 200 when the image is here, an error when it is not."""
        environment = within_registry(call, self._environment(call.request))
        found = self._imports.find(_caller(call), call.names["import"])
        if not found.done:
            location = f"{environment.url}{environment.registry_id}/importStatus/{call.names['import']}"
            return Response(status_code=202, headers={**_WAIT, "Location": location})
        if found.error is not None:
            raise ArmError(400, "ImportFailed", found.error)
        return Response(status_code=200, headers={"Cache-Control": "no-store"})


def _caller(call: Call) -> Identity:
    if call.caller is None:
        raise ArmError(401, "AuthenticationFailed", "sign in first")
    return call.caller
