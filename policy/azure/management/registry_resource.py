"""The registry as a resource of Azure (Microsoft.ContainerRegistry/registries)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policy.azure.arm_errors import ArmError
from policy.azure.management.environment import REGISTRY_TYPE, AzureEnvironment
from registry.config.group import DAY
from registry.config.settings import RegistrySettings
from registry.content.retention_state import ordered_days
from registry.content.undo import Undo, undo_of

_MOST_DAYS = 365
_DISABLED = {"status": "disabled"}
_MOST_UNDO_DAYS = 90
_FROM_SETTINGS = {"anonymousPullEnabled": "set auth.anonymous_pull in basegate's settings"}


@dataclass(frozen=True, slots=True)
class ContentPolicies:
    """What was ordered of content that goes by itself.

    Attributes:
        untagged_days: after how many days untagged manifests go by order; `None`: nothing was ordered.
        undo: how long what is deleted can be brought back, ordered or not.
    """

    untagged_days: int | None
    undo: Undo


def content_policies_of(registry: RegistrySettings) -> ContentPolicies:
    """Those of a data folder; reads a file."""
    return ContentPolicies(ordered_days(registry.data), undo_of(registry))


def resource(
    environment: AzureEnvironment, registry: RegistrySettings, created: str, *, admin: bool, orders: ContentPolicies
) -> dict[str, Any]:
    """The registry as `az acr show` prints it. It says Premium: below it az refuses commands by itself.

    Args:
        environment: names and URLs.
        registry: the settings that count now.
        created: when the registry was made, ISO 8601.
        admin: whether the admin user is on.
        orders: what was ordered, and what counts.
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
            "policies": policies(registry, orders),
            "privateEndpointConnections": [],
            "publicNetworkAccess": "Enabled",
            "zoneRedundancy": "Disabled",
        },
    }


def policies(registry: RegistrySettings, orders: ContentPolicies) -> dict[str, Any]:
    """What becomes of content by itself, in ACR's words; days are rounded up."""
    untagged = registry.gc.untagged_after_seconds
    days, is_on = -(-untagged // DAY), untagged > 0
    undo = orders.undo
    if orders.untagged_days is not None:
        days, is_on = orders.untagged_days, True
    return {
        "quarantinePolicy": {"status": "enabled"},
        "trustPolicy": {"type": "Notary", "status": "disabled"},
        "retentionPolicy": {"days": days, "status": _status(on=is_on)},
        "exportPolicy": {"status": "enabled"},
        "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
        "softDeletePolicy": {"retentionDays": -(-undo.seconds // DAY), "status": _status(on=undo.kept)},
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


def undo_order(wanted: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[int, bool] | None:
    """Days and whether it is on, as a `softDeletePolicy` orders; `None` when it says what is so already.

    Args:
        wanted: what was sent; members that are left out stay as they are.
        now: the policy as `policies` tells it.

    Raises:
        ArmError: it is none.
    """
    status, days = str(wanted.get("status") or now["status"]).lower(), wanted.get("retentionDays")
    days = now["retentionDays"] if days is None else days
    if (status, days) == (now["status"], now["retentionDays"]):
        return None
    if status not in {"enabled", "disabled"} or type(days) is not int or not 1 <= days <= _MOST_UNDO_DAYS:
        message = f"softDeletePolicy needs a status, enabled or disabled, and retentionDays from 1 to {_MOST_UNDO_DAYS}"
        raise ArmError(400, "InvalidRequestContent", message)
    return days, status == "enabled"


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
