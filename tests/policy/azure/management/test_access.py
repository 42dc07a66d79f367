"""Who may ask the management endpoint for what: one table; a route that is not in it fails."""

from collections.abc import Iterator

import httpx
import pytest

from policy.azure.management.dispatch import Requirement
from policy.testing.credentials import enrolment
from registry.auth.actions import Role
from tests.policy.azure.endpoint import LiveEndpoint, code_of
from tests.policy.azure.management.test_every_route import calls, rows
from tests.registry.auth.people import enrol

# None of them hands out image content or clears an image: logs are what a build printed, to whoever asked for it.
MATRIX = {
    Requirement.NOTHING: {
        *("azure.metadata", "azure.device_page", "azure.allow_device", "azure.keys", "azure.discover", "azure.token"),
        *("azure.device_code", "azure.authorize_page", "azure.authorize"),
    },
    Requirement.LINK: {"azure.put_context", "azure.log"},
    Requirement.SIGNED_IN: {
        *("azure.tenants", "azure.subscriptions", "azure.subscription", "azure.groups", "azure.group"),
        *("azure.resources", "azure.provider", "azure.registries", "azure.registry", "azure.check_name"),
        *("azure.usages", "azure.workspaces", "azure.workspace", "azure.scope_maps", "azure.scope_map"),
        *("azure.tokens", "azure.show_token", "azure.upload_url", "azure.schedule_run", "azure.runs", "azure.run"),
        *("azure.cancel_run", "azure.log_url", "azure.refused", "azure.import", "azure.import_status"),
    },
    Requirement.OWNER: {
        *("azure.put_registry", "azure.patch_registry", "azure.credentials", "azure.renew_credential"),
        *("azure.put_scope_map", "azure.remove_scope_map", "azure.put_token", "azure.remove_token"),
        *("azure.generate_credentials", "azure.webhooks", "azure.show_webhook", "azure.put_webhook"),
        *("azure.remove_webhook", "azure.ping_webhook", "azure.webhook_events", "azure.webhook_config"),
    },
}


@pytest.fixture(scope="module")
def team(endpoint: LiveEndpoint) -> Iterator[httpx.Client]:
    """An owner of `team/*` alone."""
    made, credentials = enrolment("team-owner", Role.OWNER, "team/*")
    enrol(endpoint.gateway.registry.data, made)
    endpoint.gateway.secrets[credentials.username] = credentials.password
    with endpoint.signed_in(credentials.username) as client:
        yield client


def test_the_matrix_is_whole() -> None:
    """Every route stands in it, with what it needs."""
    assert {need: {row.operation for row in rows() if row.needs is need} for need in Requirement} == MATRIX


@pytest.mark.parametrize(("method", "path"), calls(Requirement.OWNER))
def test_only_an_owner_changes_anything(endpoint: LiveEndpoint, method: str, path: str) -> None:
    """A reader is told which role it needs."""
    with endpoint.signed_in("reader") as client:
        answer: httpx.Response = client.request(method, path, json={})
    assert code_of(answer) == (403, "AuthorizationFailed")
    assert "needs role Owner for all repositories" in answer.text


@pytest.mark.parametrize(("method", "path"), calls(Requirement.OWNER))
def test_an_owner_of_some_repositories_changes_nothing_either(team: httpx.Client, method: str, path: str) -> None:
    """Webhooks hear of every repository, and tokens may reach each: whoever manages them owns the registry."""
    answer = team.request(method, path, json={})
    assert code_of(answer) == (403, "AuthorizationFailed")
    assert "(role Owner for team/*) may not do this: needs role Owner for all repositories" in answer.text


@pytest.mark.parametrize(("method", "path"), calls(Requirement.SIGNED_IN))
def test_an_owner_of_some_repositories_is_let_in(team: httpx.Client, method: str, path: str) -> None:
    """Where a role is enough."""
    answer = team.request(method, path, json={})
    assert answer.status_code < 500
    assert "needs role Owner" not in answer.text
