"""The registry as Azure's clients read it, and what they may not change."""

import asyncio
from typing import Any

import httpx
import pytest

from registry.auth.actions import Role
from registry.auth.enrolment import draft, enable, record
from registry.config.group import DAY
from registry.content.retention_state import ordered_days
from registry.content.undo import Undo, undo_of
from tests.policy.azure.endpoint import GROUP, REGISTRY, SUBSCRIPTION, LiveEndpoint, code_of

ACR = "providers/Microsoft.ContainerRegistry"


def got(endpoint: LiveEndpoint, path: str, name: str = "reader") -> Any:
    """The JSON at a path, for somebody who has signed in."""
    with endpoint.signed_in(name) as client:
        return client.get(path, params={"api-version": "2026-09-01-preview"}).raise_for_status().json()


def test_a_registry_says_where_content_is(endpoint: LiveEndpoint) -> None:
    """`loginServer` has the port; the tier is one for which az refuses no command by itself."""
    found = got(endpoint, REGISTRY)
    assert found["id"] == REGISTRY
    assert found["properties"]["loginServer"] == endpoint.gateway.host.replace("127.0.0.1", "localhost")
    assert found["sku"]["name"] == "Premium"


@pytest.mark.parametrize("path", [f"{SUBSCRIPTION}/{ACR}/registries", f"{GROUP}/{ACR}/registries"])
def test_there_is_one_registry(endpoint: LiveEndpoint, path: str) -> None:
    """In the subscription and in its group."""
    assert [each["name"] for each in got(endpoint, path)["value"]] == ["myregistry"]


@pytest.mark.parametrize("path", ["/tenants", "/subscriptions", f"{SUBSCRIPTION}/resourceGroups"])
def test_there_is_one_of_each(endpoint: LiveEndpoint, path: str) -> None:
    """Tenant, subscription, group."""
    assert len(got(endpoint, path)["value"]) == 1


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("", ["myregistry", "default"]),
        (f"{ACR.partition('/')[2]}/registries", ["myregistry"]),
        ("Microsoft.Compute/disks", []),
    ],
)
def test_resources_are_found_by_type(endpoint: LiveEndpoint, wanted: str, names: list[str]) -> None:
    """As az looks a registry up before every command."""
    query = f"?$filter=resourceType eq '{wanted}'" if wanted else ""
    with endpoint.signed_in("reader") as client:
        found = client.get(f"{SUBSCRIPTION}/resources{query}").raise_for_status().json()
    assert [each["name"] for each in found["value"]] == names


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/subscriptions/other", "SubscriptionNotFound"),
        (f"{SUBSCRIPTION}/resourceGroups/other", "ResourceGroupNotFound"),
        (REGISTRY.replace("myregistry", "other"), "ResourceNotFound"),
        (f"{SUBSCRIPTION}/providers/Microsoft.Compute", "InvalidResourceNamespace"),
        (f"{REGISTRY}/a/b/c/d", "NotFound"),
        ("/nothing", "NotFound"),
    ],
)
def test_what_is_not_there_is_said_so(endpoint: LiveEndpoint, path: str, code: str) -> None:
    """In ARM's codes."""
    with endpoint.signed_in() as client:
        assert code_of(client.get(path)) == (404, code)


def test_case_does_not_matter(endpoint: LiveEndpoint) -> None:
    """az writes `resourcegroups` as well."""
    assert got(endpoint, REGISTRY.lower())["name"] == "myregistry"


@pytest.mark.parametrize(
    ("name", "free"), [("myregistry", False), ("MyRegistry", False), ("a b", False), ("other1", True)]
)
def test_a_name_is_free_or_not(endpoint: LiveEndpoint, name: str, free: bool) -> None:
    """`az acr check-name`."""
    with endpoint.signed_in("reader") as client:
        answer = client.post(f"{SUBSCRIPTION}/{ACR}/checkNameAvailability", json={"name": name}).json()
    assert answer["nameAvailable"] is free


def test_usage_is_what_is_on_disk(endpoint: LiveEndpoint) -> None:
    """`az acr show-usage`."""
    size = got(endpoint, f"{REGISTRY}/listUsages")["value"][0]
    assert size["name"] == "Size"
    assert 0 <= size["currentValue"] < size["limit"]


@pytest.mark.parametrize(
    "properties",
    [
        {"anonymousPullEnabled": True},
        {"publicNetworkAccess": "Disabled"},
        {"policies": {"exportPolicy": {"status": "disabled"}}},
    ],
)
def test_a_setting_is_not_changed_from_here(endpoint: LiveEndpoint, properties: dict[str, Any]) -> None:
    """The refusal says where it is."""
    with endpoint.signed_in() as client:
        assert code_of(client.patch(REGISTRY, json={"properties": properties})) == (400, "OperationNotSupported")


def test_what_is_so_already_may_be_said_again(endpoint: LiveEndpoint) -> None:
    """az sends every policy as it read it."""
    now = got(endpoint, REGISTRY)["properties"]
    wanted = {"adminUserEnabled": False, "policies": now["policies"]}
    with endpoint.signed_in() as client:
        assert client.patch(REGISTRY, json={"properties": wanted}).status_code == 200
        assert client.put(REGISTRY, json={"sku": {"name": "Premium"}}).status_code == 200


def policy_sent(endpoint: LiveEndpoint, policy: dict[str, Any], name: str = "retentionPolicy") -> httpx.Response:
    """Send a policy among all others as they were read, as az does."""
    policies = got(endpoint, REGISTRY)["properties"]["policies"]
    with endpoint.signed_in() as client:
        return client.patch(REGISTRY, json={"properties": {"policies": policies | {name: policy}}})


def test_untagged_manifests_go_by_order(endpoint: LiveEndpoint) -> None:
    """`az acr config retention update`; what was ordered is shown, and counts for retention."""
    policy_sent(endpoint, {"days": 30, "status": "enabled"}).raise_for_status()
    shown = got(endpoint, REGISTRY)["properties"]["policies"]["retentionPolicy"]
    assert (shown, ordered_days(endpoint.gateway.registry.data)) == ({"days": 30, "status": "enabled"}, 30)
    policy_sent(endpoint, {"status": "disabled"}).raise_for_status()
    assert ordered_days(endpoint.gateway.registry.data) is None


@pytest.mark.parametrize("policy", [{"days": -1}, {"days": 366}, {"days": True}, {"days": "7"}, {"status": "maybe"}])
def test_an_order_that_is_none_is_refused(endpoint: LiveEndpoint, policy: dict[str, Any]) -> None:
    """ACR takes 0 to 365 days."""
    assert code_of(policy_sent(endpoint, {"status": "enabled", **policy})) == (400, "InvalidRequestContent")
    assert ordered_days(endpoint.gateway.registry.data) is None


def test_deletes_can_be_undone_by_order(endpoint: LiveEndpoint) -> None:
    """`az acr config soft-delete update`; it counts over the setting, and what is in the trash keeps its days."""
    name, settings = "softDeletePolicy", endpoint.gateway.registry.app.services.stores.settings.current
    assert undo_of(settings) == Undo(DAY, kept=True)
    policy_sent(endpoint, {"retentionDays": 7, "status": "enabled"}, name).raise_for_status()
    assert got(endpoint, REGISTRY)["properties"]["policies"][name] == {"retentionDays": 7, "status": "enabled"}
    assert undo_of(settings) == Undo(7 * DAY, kept=True)
    policy_sent(endpoint, {"status": "disabled"}, name).raise_for_status()
    assert undo_of(settings) == Undo(7 * DAY, kept=False)
    policy_sent(endpoint, {"days": 30, "status": "enabled"}).raise_for_status()
    assert undo_of(settings) == Undo(7 * DAY, kept=False)
    policy_sent(endpoint, {"status": "disabled"}).raise_for_status()
    policy_sent(endpoint, {"retentionDays": 1, "status": "enabled"}, name).raise_for_status()


@pytest.mark.parametrize("policy", [{"retentionDays": 0}, {"retentionDays": 91}, {"retentionDays": "7"}, {"status": 1}])
def test_no_order_of_undoing_is_refused(endpoint: LiveEndpoint, policy: dict[str, Any]) -> None:
    """ACR takes 1 to 90 days."""
    answer = policy_sent(endpoint, {"status": "enabled", **policy}, "softDeletePolicy")
    assert code_of(answer) == (400, "InvalidRequestContent")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_only_an_owner_changes_the_registry(endpoint: LiveEndpoint, method: str) -> None:
    """A reader is refused, whatever it wants."""
    with endpoint.signed_in("reader") as client:
        assert code_of(client.request(method, REGISTRY, json={})) == (403, "AuthorizationFailed")


def test_there_is_no_second_registry(endpoint: LiveEndpoint) -> None:
    """`az acr create` with another name."""
    with endpoint.signed_in() as client:
        answer = client.put(REGISTRY.replace("myregistry", "another1"), json={})
    assert code_of(answer) == (409, "OperationNotSupported")


@pytest.mark.parametrize("what", ["agentpools", "replications", "tasks"])
def test_what_is_not_offered_is_said_so(endpoint: LiveEndpoint, what: str) -> None:
    """With what to do in its place."""
    with endpoint.signed_in() as client:
        assert code_of(client.post(f"{REGISTRY}/{what}", json={})) == (400, "OperationNotSupported")


def test_a_principal_that_is_disabled_is_shut_out(endpoint: LiveEndpoint) -> None:
    """Its tokens count no longer, here as at the registry."""
    metadata, made = endpoint.gateway.registry.app.services.stores.metadata, draft("passing", Role.ACR_PULL)
    asyncio.run(metadata.write(record, made))
    endpoint.gateway.secrets["passing"] = made.secret()
    with endpoint.signed_in("passing") as client:
        assert client.get(SUBSCRIPTION).status_code == 200
        asyncio.run(metadata.write(enable, "passing", enabled=False))
        assert code_of(client.get(SUBSCRIPTION)) == (401, "AuthenticationFailed")
