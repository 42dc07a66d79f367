"""Workspaces as Azure's clients read them: without a container registry until their first deployment is recorded."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from policy.deployments.settings import DeploymentSettings
from policy.deployments.workspaces import Workspaces
from tests.policy.azure.endpoint import GROUP, REGISTRY, SUBSCRIPTION, LiveEndpoint, code_of, live_endpoint

ML = "providers/Microsoft.MachineLearningServices"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveEndpoint]:
    """An endpoint with a workspace that has had a deployment, beside the default one, which has not."""
    data: Path = tmp_path_factory.mktemp("workspaces") / "data"
    records = Workspaces(data, lambda: DeploymentSettings(registry_name="myregistry"))
    asyncio.run(records.create("deployed", "admin"))
    asyncio.run(records.set_registry("deployed"))
    with live_endpoint(data) as endpoint:
        yield endpoint


@pytest.mark.parametrize(("name", "registry"), [("default", None), ("deployed", REGISTRY), ("DEPLOYED", REGISTRY)])
def test_a_workspace_has_a_registry_once_something_is_deployed(
    live: LiveEndpoint, name: str, registry: str | None
) -> None:
    """`properties.containerRegistry`: null before."""
    with live.signed_in("reader") as client:
        found = client.get(f"{GROUP}/{ML}/workspaces/{name}").raise_for_status().json()
    assert found["properties"]["containerRegistry"] == registry


@pytest.mark.parametrize("at", [SUBSCRIPTION, GROUP])
def test_workspaces_are_listed(live: LiveEndpoint, at: str) -> None:
    """Of the subscription and of the group, and among all resources."""
    with live.signed_in("reader") as client:
        found = client.get(f"{at}/{ML}/workspaces").raise_for_status().json()["value"]
        everything = client.get(f"{at}/resources").raise_for_status().json()["value"]
    assert [each["name"] for each in found] == ["default", "deployed"]
    assert {each["name"] for each in everything} == {"myregistry", "default", "deployed"}


@pytest.mark.parametrize(
    "path", [f"{GROUP}/{ML}/workspaces/other", f"{SUBSCRIPTION}/resourceGroups/x/{ML}/workspaces/default"]
)
def test_what_is_not_there_is_said_so(live: LiveEndpoint, path: str) -> None:
    """Another name, or another group."""
    with live.signed_in("reader") as client:
        assert code_of(client.get(path)) == (404, "ResourceNotFound")


def test_clients_find_a_version_to_ask_with(live: LiveEndpoint) -> None:
    """`az resource show` looks for one before it asks."""
    with live.signed_in("reader") as client:
        provider = client.get(f"{SUBSCRIPTION}/{ML}").raise_for_status().json()
    assert provider["resourceTypes"][0]["resourceType"] == "workspaces"
    assert provider["resourceTypes"][0]["apiVersions"]
