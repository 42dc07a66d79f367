"""The registry as a resource of Azure (Microsoft.ContainerRegistry/registries)."""

from collections.abc import Mapping
from typing import Any

from policy.azure.arm_errors import ArmError
from policy.azure.management.place import REGISTRY_TYPE, Place
from registry.config.settings import RegistrySettings

_DAY = 86_400
_DISABLED = {"status": "disabled"}
_FROM_SETTINGS = {
    "anonymousPullEnabled": "set auth.anonymous_pull in basegate's settings",
    "retentionPolicy": "set gc.untagged_after_seconds in basegate's settings",
    "softDeletePolicy": "set gc.undo_seconds in basegate's settings",
}


def resource(place: Place, registry: RegistrySettings, created: str, *, admin: bool) -> dict[str, Any]:
    """The registry as `az acr show` prints it. It says Premium: below it az refuses commands by itself.

    Args:
        place: names and URLs.
        registry: the settings that count now.
        created: when the registry was made, ISO 8601.
        admin: whether the admin user is on.
    """
    return {
        "id": place.registry_id,
        "name": place.registry,
        "type": REGISTRY_TYPE,
        "location": place.settings.location,
        "tags": {},
        "sku": {"name": "Premium", "tier": "Premium"},
        "properties": {
            "loginServer": place.login_server,
            "creationDate": created,
            "provisioningState": "Succeeded",
            "adminUserEnabled": admin,
            "anonymousPullEnabled": registry.auth.anonymous_pull,
            "dataEndpointEnabled": False,
            "dataEndpointHostNames": [],
            "encryption": _DISABLED,
            "networkRuleBypassOptions": "None",
            "networkRuleSet": None,
            "policies": policies(registry),
            "privateEndpointConnections": [],
            "publicNetworkAccess": "Enabled",
            "zoneRedundancy": "Disabled",
        },
    }


def policies(registry: RegistrySettings) -> dict[str, Any]:
    """What becomes of content by itself, in ACR's words; days are rounded up."""
    undo, untagged = registry.gc.undo_seconds, registry.gc.untagged_after_seconds
    return {
        "quarantinePolicy": {"status": "enabled"},
        "trustPolicy": {"type": "Notary", "status": "disabled"},
        "retentionPolicy": {"days": -(-untagged // _DAY), "status": _status(on=untagged > 0)},
        "exportPolicy": {"status": "enabled"},
        "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
        "softDeletePolicy": {"retentionDays": -(-undo // _DAY), "status": _status(on=undo > 0)},
    }


def require_no_change(wanted: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
    """Let pass what is so already; what would change is a setting.

    Raises:
        ArmError: something would change; the message says where that is done.
    """
    for name, value in wanted.items():
        now = properties.get(name)
        if name == "policies" and isinstance(value, Mapping):
            require_no_change(value, properties["policies"])
        elif not _says(value, now):
            how = _FROM_SETTINGS.get(name, "this registry does not offer it")
            raise ArmError(400, "OperationNotSupported", f"{name[:64]} cannot be changed from here: {how}")


def _says(wanted: Any, now: Any) -> bool:
    """Whether what is wanted is there already; objects may leave members out."""
    if wanted is None:
        return True
    if isinstance(wanted, Mapping) and isinstance(now, Mapping):
        return all(_says(value, now.get(name)) for name, value in wanted.items() if name in now)
    return bool(wanted == now)


def _status(*, on: bool) -> str:
    return "enabled" if on else "disabled"
