"""The handlers of resources: tenants, subscriptions, groups, and the registry."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.azure.admin_user import PASSWORDS, AdminAccount, AdminUser
from policy.azure.arm_body import flag_in, needed_text, objects_in, read_object
from policy.azure.arm_errors import ArmError, refused_by_registry
from policy.azure.management.dispatch import Call
from policy.azure.management.environment import REGISTRY_TYPE, AzureEnvironment
from policy.azure.management.registry_resource import (
    RetentionOrder,
    content_policies_of,
    require_no_change,
    resource,
    retention_order,
    undo_order,
)
from registry.api.services import Services
from registry.auth.signing_key import KEY_FILE
from registry.content.retention_state import order_days, order_undo
from registry.metadata.blobs import totals
from registry.oci.timestamp import timestamp

Listing = Callable[[AzureEnvironment], Sequence[dict[str, Any]]]
"""Other resources that a list of all shows: `{"id", "name", "type", "location"}`."""


class ResourceHandlers:
    """The handlers.

    Args:
        services: the registry's.
        environment: Azure as the caller of a request sees it.
        body_bytes: largest body.
        others: resources that other rooms answer for.
        admin: the admin user.
    """

    def __init__(
        self,
        services: Services,
        environment: Callable[[Request], AzureEnvironment],
        body_bytes: Callable[[], int],
        others: Listing,
        admin: AdminUser,
    ) -> None:
        self._services = services
        self._environment = environment
        self._body_bytes = body_bytes
        self._others = others
        self._admin = admin

    async def tenants(self, call: Call) -> Response:
        """GET: the one tenant."""
        tenant = self._environment(call.request).settings.tenant
        return _listed([{"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "basegate"}])

    async def subscriptions(self, call: Call) -> Response:
        """GET: the one subscription."""
        return _listed([_subscription(self._environment(call.request))])

    async def subscription(self, call: Call) -> Response:
        """GET: it alone."""
        return JSONResponse(_subscription(within_subscription(call, self._environment(call.request))))

    async def groups(self, call: Call) -> Response:
        """GET: the one resource group."""
        return _listed([_group(within_subscription(call, self._environment(call.request)))])

    async def group(self, call: Call) -> Response:
        """GET: it alone."""
        return JSONResponse(_group(within_group(call, self._environment(call.request))))

    async def resources(self, call: Call) -> Response:
        """GET: everything there is; a filter by type is heeded, any other is not."""
        environment = within_subscription(call, self._environment(call.request))
        if "group" in call.names:
            within_group(call, environment)
        wanted = call.request.query_params.get("$filter", "").lower()
        everything = [_brief(await self._resource(environment)), *self._others(environment)]
        kinds = {each["type"].lower() for each in everything}
        named = {kind for kind in kinds if f"'{kind}'" in wanted}
        by_type = "resourcetype" in wanted
        return _listed([each for each in everything if not by_type or each["type"].lower() in named])

    async def provider(self, call: Call) -> Response:
        """GET: which versions of a type there are; clients look for one that they may ask with."""
        environment = within_subscription(call, self._environment(call.request))
        kinds = _PROVIDERS.get(call.names["namespace"].lower())
        if kinds is None:
            message = (
                f"the provider {call.names['namespace'][:64]!r} is not here: {' and '.join(_SPELLED.values())} are"
            )
            raise ArmError(404, "InvalidResourceNamespace", message)
        types = [
            {"resourceType": kind, "apiVersions": ["2025-06-01"], "locations": [environment.settings.location]}
            for kind in kinds
        ]
        name = _SPELLED[call.names["namespace"].lower()]
        return JSONResponse(
            {
                "id": f"{environment.subscription_id}/providers/{name}",
                "namespace": name,
                "registrationState": "Registered",
                "resourceTypes": types,
            }
        )

    async def registries(self, call: Call) -> Response:
        """GET: the one registry."""
        environment = within_subscription(call, self._environment(call.request))
        if "group" in call.names:
            within_group(call, environment)
        return _listed([await self._resource(environment)])

    async def registry(self, call: Call) -> Response:
        """GET: it alone."""
        return JSONResponse(await self._resource(within_registry(call, self._environment(call.request))))

    async def put_registry(self, call: Call) -> Response:
        """PUT: there is one registry, and its name is a setting."""
        environment = within_group(call, self._environment(call.request))
        await read_object(call.request, self._body_bytes())
        if call.names["registry"].lower() != environment.registry.lower():
            raise ArmError(
                409,
                "OperationNotSupported",
                f"there is one registry here, {environment.registry}: run another basegate for another one",
            )
        return JSONResponse(await self._resource(environment))

    async def patch_registry(self, call: Call) -> Response:
        """PATCH: the admin user, when untagged manifests go, how long deletes can be undone; no more."""
        environment = within_registry(call, self._environment(call.request))
        wanted = await read_object(call.request, self._body_bytes())
        now = await self._resource(environment)
        said, properties = objects_in(wanted, "properties"), now["properties"]
        switched = flag_in(said, "adminUserEnabled", default=properties["adminUserEnabled"])
        said_of_policies, policies = objects_in(said, "policies"), properties["policies"]
        order = retention_order(
            objects_in(said_of_policies, "retentionPolicy"),
            policies["retentionPolicy"],
            self._services.stores.settings.current,
        )
        undo = undo_order(objects_in(said_of_policies, "softDeletePolicy"), policies["softDeletePolicy"])
        rest = {name: value for name, value in said_of_policies.items() if name not in _ORDERED}
        others = {name: value for name, value in said.items() if name not in {"adminUserEnabled", "policies"}}
        require_no_change({**others, "policies": rest}, properties)
        if objects_in(wanted, "tags"):
            raise ArmError(400, "OperationNotSupported", "this registry keeps no tags of its own: leave --tags out")
        if switched is not properties["adminUserEnabled"]:
            with refused_by_registry():
                await self._admin.enable(enabled=switched)
        await asyncio.to_thread(self._order, order, undo)
        return JSONResponse(await self._resource(environment))

    def _order(self, retention: RetentionOrder | None, undo: tuple[int, bool] | None) -> None:
        data = self._services.stores.settings.current.data
        if retention is not None:
            order_days(data, retention.days)
        if undo is not None:
            order_undo(data, undo[0], kept=undo[1])

    async def credentials(self, call: Call) -> Response:
        """POST: name and passwords of the admin user, when it is on."""
        within_registry(call, self._environment(call.request))
        account = await self._admin_account()
        if account is None or not account.enabled:
            message = (
                f"the admin user is off: az acr update --name {self._admin.name} --admin-enabled true switches it on"
            )
            raise ArmError(400, "UnAuthorizedForCredentialOperations", message)
        return self._shown(account)

    async def renew_credential(self, call: Call) -> Response:
        """POST: another password of the admin user."""
        within_registry(call, self._environment(call.request))
        name = needed_text(await read_object(call.request, self._body_bytes()), "name")
        with refused_by_registry():
            return self._shown(await self._admin.renew(name))

    async def _admin_account(self) -> AdminAccount | None:
        with refused_by_registry():
            return await self._admin.account()

    def _shown(self, account: AdminAccount) -> Response:
        passwords = [{"name": name, "value": account.passwords[name]} for name in PASSWORDS]
        reply = {"username": self._admin.name, "passwords": passwords}
        return JSONResponse(reply, headers={"Cache-Control": "no-store"})

    async def usages(self, call: Call) -> Response:
        """GET: bytes on disk."""
        within_registry(call, self._environment(call.request))
        stores = self._services.stores
        _, held = await stores.metadata.read_apart(totals)  # every blob is counted
        whole = shutil.disk_usage(stores.settings.current.data).total
        return _listed([{"name": "Size", "limit": whole, "currentValue": held, "unit": "Bytes"}])

    async def check_name(self, call: Call) -> Response:
        """POST: whether a name for a registry is free; there is one registry, so none is."""
        environment = within_subscription(call, self._environment(call.request))
        body = await read_object(call.request, self._body_bytes())
        name = needed_text(body, "name")
        if name.lower() == environment.registry.lower():
            return JSONResponse(
                {
                    "nameAvailable": False,
                    "reason": "AlreadyExists",
                    "message": f"The registry {environment.registry} is already in use.",
                }
            )
        if not (name.isascii() and name.isalnum() and 5 <= len(name) <= 50):
            message = f"{name[:64]!r} is no name of a registry: needs 5 to 50 letters and digits"
            return JSONResponse({"nameAvailable": False, "reason": "Invalid", "message": message})
        return JSONResponse({"nameAvailable": True})

    async def refused(self, call: Call) -> Response:
        """Whatever ACR offers and this registry does not."""
        environment = within_registry(call, self._environment(call.request))
        what = call.names["what"]
        how = _INSTEAD.get(what.lower(), "this registry does not offer it")
        raise ArmError(400, "OperationNotSupported", f"{what[:64]} is not offered on {environment.registry}: {how}")

    async def _resource(self, environment: AzureEnvironment) -> dict[str, Any]:
        settings = self._services.stores.settings.current
        # The key is made by the first start, and kept.
        created = timestamp((settings.data / KEY_FILE).stat().st_mtime)
        account = await self._admin_account()
        orders = await asyncio.to_thread(content_policies_of, settings)
        return resource(environment, settings, created, admin=account is not None and account.enabled, orders=orders)


_ORDERED = frozenset({"retentionPolicy", "softDeletePolicy"})
_PROVIDERS = {
    "microsoft.containerregistry": ("registries",),
    "microsoft.machinelearningservices": ("workspaces",),
}
_SPELLED = {
    "microsoft.containerregistry": "Microsoft.ContainerRegistry",
    "microsoft.machinelearningservices": "Microsoft.MachineLearningServices",
}
_INSTEAD = {
    "replications": "there is one data folder; basegate backup copies it",
    "tasks": "az acr build is; other tasks are not",
    "agentpools": "builds run on this machine",
}


def within_subscription(call: Call, environment: AzureEnvironment) -> AzureEnvironment:
    """The environment, when the path names its subscription. Raises ArmError (404) when not."""
    found = call.names["subscription"]
    if found.lower() != environment.named.subscription.lower():
        message = f"The subscription '{found[:64]}' could not be found: this is {environment.named.subscription}"
        raise ArmError(404, "SubscriptionNotFound", message)
    return environment


def within_group(call: Call, environment: AzureEnvironment) -> AzureEnvironment:
    """The environment, when the path names its group as well."""
    within_subscription(call, environment)
    found, ours = call.names["group"], environment.named.resource_group
    if found.lower() != ours.lower():
        message = f"Resource group '{found[:90]}' could not be found: there is one, {ours}"
        raise ArmError(404, "ResourceGroupNotFound", message)
    return environment


def within_registry(call: Call, environment: AzureEnvironment) -> AzureEnvironment:
    """The environment, when the path names its registry as well."""
    within_group(call, environment)
    found, ours = call.names["registry"], environment.registry
    if found.lower() != ours.lower():
        message = f"The Resource '{REGISTRY_TYPE}/{found[:64]}' was not found: there is one, {ours}"
        raise ArmError(404, "ResourceNotFound", message)
    return environment


def _subscription(environment: AzureEnvironment) -> dict[str, Any]:
    return {
        "id": environment.subscription_id,
        "subscriptionId": environment.named.subscription,
        "tenantId": environment.settings.tenant,
        "displayName": environment.settings.cloud,
        "state": "Enabled",
    }


def _group(environment: AzureEnvironment) -> dict[str, Any]:
    return {
        "id": environment.group_id,
        "name": environment.named.resource_group,
        "type": "Microsoft.Resources/resourceGroups",
        "location": environment.settings.location,
        "properties": {"provisioningState": "Succeeded"},
    }


def _brief(whole: dict[str, Any]) -> dict[str, Any]:
    return {name: whole[name] for name in ("id", "name", "type", "location", "sku", "tags")}


def _listed(values: Sequence[dict[str, Any]]) -> Response:
    return JSONResponse({"value": list(values)})
