"""Every route of the endpoint on one screen: methods, path, what the caller needs, who answers."""

from policy.azure.management.build_doors import BuildDoors
from policy.azure.management.cloud_door import CloudDoor
from policy.azure.management.dispatch import Needs, Row
from policy.azure.management.resources import ResourceDoors
from policy.azure.management.scope_map_doors import ScopeMapDoors
from policy.azure.management.sign_in.doors import SignInDoors
from policy.azure.management.workspace_doors import WorkspaceDoors

_NOTHING, _SIGNED_IN, _OWNER, _LINK = Needs.NOTHING, Needs.SIGNED_IN, Needs.OWNER, Needs.LINK
_S = "/subscriptions/{subscription}"
_G = f"{_S}/resourceGroups/{{group}}"
_ACR = "providers/Microsoft.ContainerRegistry"
_R = f"{_G}/{_ACR}/registries/{{registry}}"


def signing_in(doors: SignInDoors, cloud: CloudDoor) -> tuple[Row, ...]:
    """Who calls, in the paths of AD FS and in those of Entra."""
    tenants = ("/adfs", "/adfs/oauth2"), ("/{tenant}", "/{tenant}/oauth2/v2.0"), ("/{tenant}/v2.0", "/{tenant}/oauth2")
    rows = [
        Row("GET", "/metadata/endpoints", _NOTHING, "azure.metadata", cloud.metadata),
        Row("GET", "/device", _NOTHING, "azure.device_page", doors.device_page),
        Row("POST", "/device", _NOTHING, "azure.allow_device", doors.allow_device),
        Row("GET", "/adfs/discovery/keys", _NOTHING, "azure.keys", doors.keys),
    ]
    for issuer, at in tenants:
        discovery = f"{issuer}/.well-known/openid-configuration"
        rows += [
            Row("GET", discovery, _NOTHING, "azure.discover", doors.discover),
            Row("POST", f"{at}/token", _NOTHING, "azure.token", doors.token),
            Row("POST", f"{at}/devicecode", _NOTHING, "azure.device_code", doors.device_code),
            Row("GET", f"{at}/authorize", _NOTHING, "azure.authorize_page", doors.authorize_page),
            Row("POST", f"{at}/authorize", _NOTHING, "azure.authorize", doors.authorize),
        ]
    return tuple(rows)


def resources(doors: ResourceDoors) -> tuple[Row, ...]:
    """What there is."""
    return (
        Row("GET", "/tenants", _SIGNED_IN, "azure.tenants", doors.tenants),
        Row("GET", "/subscriptions", _SIGNED_IN, "azure.subscriptions", doors.subscriptions),
        Row("GET", _S, _SIGNED_IN, "azure.subscription", doors.subscription),
        Row("GET", f"{_S}/resourceGroups", _SIGNED_IN, "azure.groups", doors.groups),
        Row("GET HEAD", _G, _SIGNED_IN, "azure.group", doors.group),
        Row("GET", f"{_S}/resources", _SIGNED_IN, "azure.resources", doors.resources),
        Row("GET", f"{_G}/resources", _SIGNED_IN, "azure.resources", doors.resources),
        Row("GET", f"{_S}/providers/{{namespace}}", _SIGNED_IN, "azure.provider", doors.provider),
        Row("GET", f"{_S}/{_ACR}/registries", _SIGNED_IN, "azure.registries", doors.registries),
        Row("GET", f"{_G}/{_ACR}/registries", _SIGNED_IN, "azure.registries", doors.registries),
        Row("POST", f"{_S}/{_ACR}/checkNameAvailability", _SIGNED_IN, "azure.check_name", doors.check_name),
        Row("GET", _R, _SIGNED_IN, "azure.registry", doors.registry),
        Row("PUT", _R, _OWNER, "azure.put_registry", doors.put_registry),
        Row("PATCH", _R, _OWNER, "azure.patch_registry", doors.patch_registry),
        Row("POST", f"{_R}/listCredentials", _OWNER, "azure.credentials", doors.credentials),
        Row("POST", f"{_R}/regenerateCredential", _OWNER, "azure.renew_credential", doors.renew_credential),
        Row("GET", f"{_R}/listUsages", _SIGNED_IN, "azure.usages", doors.usages),
    )


def workspaces(doors: WorkspaceDoors) -> tuple[Row, ...]:
    """What deployments belong to."""
    ml = "providers/Microsoft.MachineLearningServices/workspaces"
    return (
        Row("GET", f"{_S}/{ml}", _SIGNED_IN, "azure.workspaces", doors.workspaces),
        Row("GET", f"{_G}/{ml}", _SIGNED_IN, "azure.workspaces", doors.workspaces),
        Row("GET", f"{_G}/{ml}/{{workspace}}", _SIGNED_IN, "azure.workspace", doors.workspace),
    )


def scope_maps(doors: ScopeMapDoors) -> tuple[Row, ...]:
    """Rights by repository, and the tokens that have them."""
    scope_map, token = f"{_R}/scopeMaps/{{name}}", f"{_R}/tokens/{{name}}"
    return (
        Row("GET", f"{_R}/scopeMaps", _SIGNED_IN, "azure.scope_maps", doors.maps),
        Row("GET", scope_map, _SIGNED_IN, "azure.scope_map", doors.show_map),
        Row("PUT PATCH", scope_map, _OWNER, "azure.put_scope_map", doors.put_map),
        Row("DELETE", scope_map, _OWNER, "azure.remove_scope_map", doors.remove_map),
        Row("GET", f"{_R}/tokens", _SIGNED_IN, "azure.tokens", doors.tokens),
        Row("GET", token, _SIGNED_IN, "azure.show_token", doors.show_token),
        Row("PUT PATCH", token, _OWNER, "azure.put_token", doors.put_token),
        Row("DELETE", token, _OWNER, "azure.remove_token", doors.remove_token),
        Row("POST", f"{_R}/generateCredentials", _OWNER, "azure.generate_credentials", doors.generate),
    )


def builds(doors: BuildDoors) -> tuple[Row, ...]:
    """ACR Tasks."""
    runs = f"{_R}/runs"
    return (
        Row("POST", f"{_R}/listBuildSourceUploadUrl", _SIGNED_IN, "azure.upload_url", doors.upload_url),
        Row("PUT", "/blob/contexts/{blob}", _LINK, "azure.put_context", doors.put_context),
        Row("POST", f"{_R}/scheduleRun", _SIGNED_IN, "azure.schedule_run", doors.schedule),
        Row("GET", runs, _SIGNED_IN, "azure.runs", doors.runs),
        Row("GET", f"{runs}/{{run}}", _SIGNED_IN, "azure.run", doors.run),
        Row("POST", f"{runs}/{{run}}/cancel", _SIGNED_IN, "azure.cancel_run", doors.cancel),
        Row("POST", f"{runs}/{{run}}/listLogSasUrl", _SIGNED_IN, "azure.log_url", doors.log_url),
        Row("GET HEAD", "/blob/logs/{blob}", _LINK, "azure.log", doors.log),
    )


def refusals(doors: ResourceDoors) -> tuple[Row, ...]:
    """What ACR offers and this registry does not; these come last."""
    return (
        Row("GET POST", f"{_R}/{{what}}", _SIGNED_IN, "azure.refused", doors.refused),
        Row("GET PUT PATCH DELETE POST", f"{_R}/{{what}}/{{name}}", _SIGNED_IN, "azure.refused", doors.refused),
        Row("POST", f"{_R}/{{what}}/{{name}}/{{verb}}", _SIGNED_IN, "azure.refused", doors.refused),
    )
