"""The registry as a resource of Azure (Microsoft.ContainerRegistry/registries)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policy.azure.arm_errors import ArmError
from policy.azure.management.environment import REGISTRY_TYPE, AzureEnvironment
from registry.config.settings import RegistrySettings

_DAY = 86_400
_MOST_DAYS = 365
_DISABLED = {"status": "disabled"}
_FROM_SETTINGS = {
    "anonymousPullEnabled": "set auth.anonymous_pull in basegate's settings",
    "softDeletePolicy": "set gc.undo_seconds in basegate's settings",
}


def resource(
    environment: AzureEnvironment, registry: RegistrySettings, created: str, *, admin: bool, untagged_days: int | None
) -> dict[str, Any]:
    """The registry as `az acr show` prints it. It says Premium: below it az refuses commands by itself.

    Args:
        environment: names and URLs.
        registry: the settings that count now.
        created: when the registry was made, ISO 8601.
        admin: whether the admin user is on.
        untagged_days: after how many days untagged manifests go by order; `None`: nothing was ordered.
    """
    return {
        "id": environment.registry_id,
        "name": environment.registry,
        "type": REGISTRY_TYPE,
        "location": environment.settings.location,
        "tags": {},
        "sku": {"name": "Premium", "tier": "Premium"},
        "properties": {
            "loginServer": environment.login_server,
            "creationDate": created,
            "provisioningState": "Succeeded",
            "adminUserEnabled": admin,
            "anonymousPullEnabled": registry.auth.anonymous_pull,
            "dataEndpointEnabled": False,
            "dataEndpointHostNames": [],
            "encryption": _DISABLED,
            "networkRuleBypassOptions": "None",
            "networkRuleSet": None,
            "policies": policies(registry, untagged_days),
            "privateEndpointConnections": [],
            "publicNetworkAccess": "Enabled",
            "zoneRedundancy": "Disabled",
        },
    }


def policies(registry: RegistrySettings, untagged_days: int | None) -> dict[str, Any]:
    """What becomes of content by itself, in ACR's words; days are rounded up."""
    undo, untagged = registry.gc.undo_seconds, registry.gc.untagged_after_seconds
    days, is_on = -(-untagged // _DAY), untagged > 0
    if untagged_days is not None:
        days, is_on = untagged_days, True
    return {
        "quarantinePolicy": {"status": "enabled"},
        "trustPolicy": {"type": "Notary", "status": "disabled"},
        "retentionPolicy": {"days": days, "status": _status(on=is_on)},
        "exportPolicy": {"status": "enabled"},
        "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
        "softDeletePolicy": {"retentionDays": -(-undo // _DAY), "status": _status(on=undo > 0)},
    }


@dataclass(frozen=True, slots=True)
class RetentionOrder:
    """After how many days untagged manifests shall go; `None`: never."""

    days: int | None


def retention_order(
    wanted: Mapping[str, Any], now: Mapping[str, Any], registry: RegistrySettings
) -> RetentionOrder | None:
    """What a `retentionPolicy` orders; `None` when it says what is so already.

    Args:
        wanted: what was sent; members that are left out stay as they are.
        now: the policy as `policies` tells it.
        registry: the settings that count now.

    Raises:
        ArmError: it is none, or shall be off while a setting has it on.
    """
    status, days = str(wanted.get("status") or now["status"]).lower(), wanted.get("days", now["days"])
    if status not in {"enabled", "disabled"} or type(days) is not int or not 0 <= days <= _MOST_DAYS:
        message = f"retentionPolicy needs a status, enabled or disabled, and days from 0 to {_MOST_DAYS}"
        raise ArmError(400, "InvalidRequestContent", message)
    if (status, days) == (now["status"], now["days"]):
        return None
    if status == "disabled" and registry.gc.untagged_after_seconds:
        how = "set gc.untagged_after_seconds to 0 in basegate's settings"
        raise ArmError(400, "OperationNotSupported", f"retentionPolicy cannot be switched off from here: {how}")
    return RetentionOrder(days if status == "enabled" else None)


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
