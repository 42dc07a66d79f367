"""The handlers of workspaces (Microsoft.MachineLearningServices/workspaces): read from the records of deployments."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.azure.arm_errors import ArmError
from policy.azure.management.dispatch import Call
from policy.azure.management.place import Place
from policy.deployments.workspaces import Workspace, Workspaces

TYPE = "Microsoft.MachineLearningServices/workspaces"


class WorkspaceHandlers:
    """The handlers.

    Args:
        workspaces: the records.
        place: where the caller of a request is.
    """

    def __init__(self, workspaces: Workspaces, place: Callable[[Request], Place]) -> None:
        self._workspaces = workspaces
        self._place = place

    async def workspace(self, call: Call) -> Response:
        """GET: one. `containerRegistry` is null until its first deployment is recorded."""
        wanted = call.names["workspace"]
        for found in self._within(call):
            if found.name.lower() == wanted.lower():
                return JSONResponse(resource(found, self._place(call.request)))
        message = (
            f"The Resource '{TYPE}/{wanted[:64]}' under resource group '{call.names['group'][:90]}' was not found: "
            "basegate workspace create NAME makes one"
        )
        raise ArmError(404, "ResourceNotFound", message)

    async def workspaces(self, call: Call) -> Response:
        """GET: all of a subscription or group."""
        place = self._place(call.request)
        return JSONResponse({"value": [resource(each, place) for each in self._within(call)]})

    def brief(self, place: Place) -> list[dict[str, Any]]:
        """All, as a list of every resource shows them."""
        return [
            {"id": each.id, "name": each.name, "type": TYPE, "location": place.settings.location}
            for each in self._workspaces.all()
            if each.subscription.lower() == place.named.subscription.lower()
        ]

    def _within(self, call: Call) -> list[Workspace]:
        """Those of the subscription in the path, and of the group when it names one."""
        subscription, group = call.names["subscription"].lower(), call.names.get("group", "").lower()
        return [
            each
            for each in self._workspaces.all()
            if each.subscription.lower() == subscription and group in {"", each.resource_group.lower()}
        ]


def resource(workspace: Workspace, place: Place) -> dict[str, Any]:
    """A workspace as a resource of Azure."""
    return {
        "id": workspace.id,
        "name": workspace.name,
        "type": TYPE,
        "location": place.settings.location,
        "tags": {},
        "properties": {
            "workspaceId": workspace.workspace_id,
            "friendlyName": workspace.name,
            "description": "",
            "provisioningState": "Succeeded",
            "containerRegistry": workspace.container_registry,
            "keyVault": None,
            "storageAccount": None,
            "applicationInsights": None,
            "discoveryUrl": f"{place.url}/discovery",
            "publicNetworkAccess": "Enabled",
        },
    }
