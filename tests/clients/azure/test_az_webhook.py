"""`az acr webhook`: an address is told of pushes to this registry."""

import json
from typing import Any

import pytest

from tests.clients.azure.az import REGISTRY, Az
from tests.registry.notifications.receiver import receiving

pytestmark = pytest.mark.xdist_group("azure-cli")


def told(az: Az, *arguments: str) -> Any:
    """What az prints of a webhook command, as JSON."""
    words = ("acr", "webhook", *arguments, "--registry", REGISTRY, "--only-show-errors", "--output", "json")
    return json.loads(az.run(*words).check().output or "null")


def test_a_webhook_from_create_to_delete(az: Az) -> None:
    """Made, shown, listed, changed, pinged, its deliveries and its configuration shown, removed."""
    with receiving() as receiver:
        made = told(az, "create", "--name", "azhook", "--uri", receiver.url, "--actions", "push", "delete")
        assert (made["name"], made["status"], made["actions"]) == ("azhook", "enabled", ["push", "delete"])
        assert told(az, "show", "--name", "azhook")["provisioningState"] == "Succeeded"
        assert [each["name"] for each in told(az, "list")] == ["azhook"]
        assert told(az, "update", "--name", "azhook", "--scope", "team/*")["scope"] == "team/*"
        pinged = told(az, "ping", "--name", "azhook")["id"]
        assert [json.loads(each.body)["action"] for each in receiver.taken] == ["ping"]
        assert [each["id"] for each in told(az, "list-events", "--name", "azhook")] == [pinged]
        assert told(az, "get-config", "--name", "azhook")["serviceUri"] == receiver.url
        assert told(az, "delete", "--name", "azhook") is None
    assert told(az, "list") == []
