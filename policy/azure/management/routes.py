"""Every route of the endpoint on one screen: methods, path, what the caller needs, who answers."""

from policy.azure.management.build_handlers import BuildHandlers
from policy.azure.management.cloud_handler import CloudHandler
from policy.azure.management.dispatch import Requirement, Row
from policy.azure.management.import_handlers import ImportHandlers
from policy.azure.management.resources import ResourceHandlers
from policy.azure.management.scope_map_handlers import ScopeMapHandlers
from policy.azure.management.sign_in.handlers import SignInHandlers
from policy.azure.management.webhook_handlers import WebhookHandlers
from policy.azure.management.workspace_handlers import WorkspaceHandlers

_NOTHING, _SIGNED_IN, _OWNER, _LINK = Requirement.NOTHING, Requirement.SIGNED_IN, Requirement.OWNER, Requirement.LINK
_S = "/subscriptions/{subscription}"
_G = f"{_S}/resourceGroups/{{group}}"
_ACR = "providers/Microsoft.ContainerRegistry"
_R = f"{_G}/{_ACR}/registries/{{registry}}"


def signing_in(handlers: SignInHandlers, cloud: CloudHandler) -> tuple[Row, ...]:
    """Who calls, in the paths of AD FS and in those of Entra."""
    tenants = ("/adfs", "/adfs/oauth2"), ("/{tenant}", "/{tenant}/oauth2/v2.0"), ("/{tenant}/v2.0", "/{tenant}/oauth2")
    rows = [
        Row("GET", "/metadata/endpoints", _NOTHING, "azure.metadata", cloud.metadata),
        Row("GET", "/device", _NOTHING, "azure.device_page", handlers.device_page),
        Row("POST", "/device", _NOTHING, "azure.allow_device", handlers.allow_device),
        Row("GET", "/adfs/discovery/keys", _NOTHING, "azure.keys", handlers.keys),
    ]
    for issuer, at in tenants:
        discovery = f"{issuer}/.well-known/openid-configuration"
        rows += [
            Row("GET", discovery, _NOTHING, "azure.discover", handlers.discover),
            Row("POST", f"{at}/token", _NOTHING, "azure.token", handlers.token),
            Row("POST", f"{at}/devicecode", _NOTHING, "azure.device_code", handlers.device_code),
            Row("GET", f"{at}/authorize", _NOTHING, "azure.authorize_page", handlers.authorize_page),
            Row("POST", f"{at}/authorize", _NOTHING, "azure.authorize", handlers.authorize),
        ]
    return tuple(rows)


def resources(handlers: ResourceHandlers) -> tuple[Row, ...]:
    """What there is."""
    return (
        Row("GET", "/tenants", _SIGNED_IN, "azure.tenants", handlers.tenants),
        Row("GET", "/subscriptions", _SIGNED_IN, "azure.subscriptions", handlers.subscriptions),
        Row("GET", _S, _SIGNED_IN, "azure.subscription", handlers.subscription),
        Row("GET", f"{_S}/resourceGroups", _SIGNED_IN, "azure.groups", handlers.groups),
        Row("GET HEAD", _G, _SIGNED_IN, "azure.group", handlers.group),
        Row("GET", f"{_S}/resources", _SIGNED_IN, "azure.resources", handlers.resources),
        Row("GET", f"{_G}/resources", _SIGNED_IN, "azure.resources", handlers.resources),
        Row("GET", f"{_S}/providers/{{namespace}}", _SIGNED_IN, "azure.provider", handlers.provider),
        Row("GET", f"{_S}/{_ACR}/registries", _SIGNED_IN, "azure.registries", handlers.registries),
        Row("GET", f"{_G}/{_ACR}/registries", _SIGNED_IN, "azure.registries", handlers.registries),
        Row("POST", f"{_S}/{_ACR}/checkNameAvailability", _SIGNED_IN, "azure.check_name", handlers.check_name),
        Row("GET", _R, _SIGNED_IN, "azure.registry", handlers.registry),
        Row("PUT", _R, _OWNER, "azure.put_registry", handlers.put_registry),
        Row("PATCH", _R, _OWNER, "azure.patch_registry", handlers.patch_registry),
        Row("POST", f"{_R}/listCredentials", _OWNER, "azure.credentials", handlers.credentials),
        Row("POST", f"{_R}/regenerateCredential", _OWNER, "azure.renew_credential", handlers.renew_credential),
        Row("GET", f"{_R}/listUsages", _SIGNED_IN, "azure.usages", handlers.usages),
    )


def workspaces(handlers: WorkspaceHandlers) -> tuple[Row, ...]:
    """What deployments belong to."""
    ml = "providers/Microsoft.MachineLearningServices/workspaces"
    return (
        Row("GET", f"{_S}/{ml}", _SIGNED_IN, "azure.workspaces", handlers.workspaces),
        Row("GET", f"{_G}/{ml}", _SIGNED_IN, "azure.workspaces", handlers.workspaces),
        Row("GET", f"{_G}/{ml}/{{workspace}}", _SIGNED_IN, "azure.workspace", handlers.workspace),
    )


def scope_maps(handlers: ScopeMapHandlers) -> tuple[Row, ...]:
    """Rights by repository, and the tokens that have them."""
    scope_map, token = f"{_R}/scopeMaps/{{name}}", f"{_R}/tokens/{{name}}"
    return (
        Row("GET", f"{_R}/scopeMaps", _SIGNED_IN, "azure.scope_maps", handlers.maps),
        Row("GET", scope_map, _SIGNED_IN, "azure.scope_map", handlers.show_map),
        Row("PUT PATCH", scope_map, _OWNER, "azure.put_scope_map", handlers.put_map),
        Row("DELETE", scope_map, _OWNER, "azure.remove_scope_map", handlers.remove_map),
        Row("GET", f"{_R}/tokens", _SIGNED_IN, "azure.tokens", handlers.tokens),
        Row("GET", token, _SIGNED_IN, "azure.show_token", handlers.show_token),
        Row("PUT PATCH", token, _OWNER, "azure.put_token", handlers.put_token),
        Row("DELETE", token, _OWNER, "azure.remove_token", handlers.remove_token),
        Row("POST", f"{_R}/generateCredentials", _OWNER, "azure.generate_credentials", handlers.generate),
    )


def builds(handlers: BuildHandlers) -> tuple[Row, ...]:
    """ACR Tasks."""
    runs = f"{_R}/runs"
    return (
        Row("POST", f"{_R}/listBuildSourceUploadUrl", _SIGNED_IN, "azure.upload_url", handlers.upload_url),
        Row("PUT", "/blob/contexts/{blob}", _LINK, "azure.put_context", handlers.put_context),
        Row("POST", f"{_R}/scheduleRun", _SIGNED_IN, "azure.schedule_run", handlers.schedule),
        Row("GET", runs, _SIGNED_IN, "azure.runs", handlers.runs),
        Row("GET", f"{runs}/{{run}}", _SIGNED_IN, "azure.run", handlers.run),
        Row("POST", f"{runs}/{{run}}/cancel", _SIGNED_IN, "azure.cancel_run", handlers.cancel),
        Row("POST", f"{runs}/{{run}}/listLogSasUrl", _SIGNED_IN, "azure.log_url", handlers.log_url),
        Row("GET HEAD", "/blob/logs/{blob}", _LINK, "azure.log", handlers.log),
    )


def imports(handlers: ImportHandlers) -> tuple[Row, ...]:
    """Images of other registries."""
    return (
        Row("POST", f"{_R}/importImage", _SIGNED_IN, "azure.import", handlers.begin),
        Row("GET", f"{_R}/importStatus/{{import}}", _SIGNED_IN, "azure.import_status", handlers.status),
    )


def webhooks(handlers: WebhookHandlers) -> tuple[Row, ...]:
    """Addresses that are told of pushes and deletes. They hear of every repository: for owners of all."""
    one = f"{_R}/webhooks/{{name}}"
    return (
        Row("GET", f"{_R}/webhooks", _OWNER, "azure.webhooks", handlers.every),
        Row("GET", one, _OWNER, "azure.show_webhook", handlers.show),
        Row("PUT PATCH", one, _OWNER, "azure.put_webhook", handlers.put),
        Row("DELETE", one, _OWNER, "azure.remove_webhook", handlers.remove),
        Row("POST", f"{one}/ping", _OWNER, "azure.ping_webhook", handlers.ping),
        Row("POST", f"{one}/listEvents", _OWNER, "azure.webhook_events", handlers.list_events),
        Row("POST", f"{one}/getCallbackConfig", _OWNER, "azure.webhook_config", handlers.config),
    )


def refusals(handlers: ResourceHandlers) -> tuple[Row, ...]:
    """What ACR offers and this registry does not; these come last."""
    return (
        Row("GET POST", f"{_R}/{{what}}", _SIGNED_IN, "azure.refused", handlers.refused),
        Row("GET PUT PATCH DELETE POST", f"{_R}/{{what}}/{{name}}", _SIGNED_IN, "azure.refused", handlers.refused),
        Row("POST", f"{_R}/{{what}}/{{name}}/{{verb}}", _SIGNED_IN, "azure.refused", handlers.refused),
    )
