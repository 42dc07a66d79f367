"""The handlers of workspaces (Microsoft.MachineLearningServices/workspaces): read from the records of deployments."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.azure.arm_errors import ArmError
from policy.azure.management.dispatch import Call
from policy.azure.management.environment import AzureEnvironment
from policy.deployments.workspaces import Workspace, Workspaces

TYPE = "Microsoft.MachineLearningServices/workspaces"


class WorkspaceHandlers:
    """The handlers.

    Args:
        workspaces: the records.
        environment: Azure as the caller of a request sees it.
    """

    def __init__(self, workspaces: Workspaces, environment: Callable[[Request], AzureEnvironment]) -> None:
        self._workspaces = workspaces
        self._environment = environment

    async def workspace(self, call: Call) -> Response:
        """GET: one. `containerRegistry` is null until its first deployment is recorded."""
        wanted = call.names["workspace"]
        for found in self._within(call):
            if found.name.lower() == wanted.lower():
                return JSONResponse(resource(found, self._environment(call.request)))
        message = (
            f"The Resource '{TYPE}/{wanted[:64]}' under resource group '{call.names['group'][:90]}' was not found: "
            "basegate workspace create NAME makes one"
        )
        raise ArmError(404, "ResourceNotFound", message)

    async def workspaces(self, call: Call) -> Response:
        """GET: all of a subscription or group."""
        environment = self._environment(call.request)
        return JSONResponse({"value": [resource(each, environment) for each in self._within(call)]})

    def brief(self, environment: AzureEnvironment) -> list[dict[str, Any]]:
        """All, as a list of every resource shows them."""
        return [
            {"id": each.id, "name": each.name, "type": TYPE, "location": environment.settings.location}
            for each in self._workspaces.all()
            if each.subscription.lower() == environment.named.subscription.lower()
        ]

    def _within(self, call: Call) -> list[Workspace]:
        """Those of the subscription in the path, and of the group when it names one."""
        subscription, group = call.names["subscription"].lower(), call.names.get("group", "").lower()
        return [
            each
            for each in self._workspaces.all()
            if each.subscription.lower() == subscription and group in {"", each.resource_group.lower()}
        ]


def resource(workspace: Workspace, environment: AzureEnvironment) -> dict[str, Any]:
    """A workspace as a resource of Azure."""
    return {
        "id": workspace.id,
        "name": workspace.name,
        "type": TYPE,
        "location": environment.settings.location,
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
            "discoveryUrl": f"{environment.url}/discovery",
            "publicNetworkAccess": "Enabled",
        },
    }
