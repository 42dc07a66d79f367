"""The workspace's container registry as three real clients read it: null, and the registry's id once it has one."""

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from policy.deployments.settings import DeploymentSettings
from policy.deployments.workspaces import Workspaces
from tests.clients.azure.az import REGISTRY, TENANT, Cloud, installed, live_cloud

pytestmark = pytest.mark.xdist_group("azure-cli")
SUBSCRIPTION, GROUP = "00000000-0000-0000-0000-000000000000", "default"
WITHIN = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers"
ID = f"{WITHIN}/Microsoft.ContainerRegistry/registries/{REGISTRY}"
ML = """
import sys
from azure.ai.ml import MLClient
from azure.identity import ClientSecretCredential
url, name, secret, tenant, subscription, group, workspace = sys.argv[1:]
credential = ClientSecretCredential(tenant, name, secret, authority=url, disable_instance_discovery=True)
print(MLClient(credential, subscription, group, cloud="basegate").workspaces.get(workspace).container_registry)
"""
CORE = """
import sys
from azureml.core import Workspace
from azureml.core.authentication import ArmTokenAuthentication
token, subscription, group, workspace = sys.argv[1:]
auth = ArmTokenAuthentication(token, cloud="basegate")
found = Workspace.get(workspace, auth=auth, subscription_id=subscription, resource_group=group)
print(found.get_details().get("containerRegistry"))
"""
Read = Callable[[Cloud, Path, str], str]


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud with a workspace that has had a deployment, and one that has not."""
    folder = tmp_path_factory.mktemp("workspaces")
    records = Workspaces(folder / "data", lambda: DeploymentSettings(registry_name=REGISTRY))
    asyncio.run(records.create("deployed", "admin"))
    asyncio.run(records.set_registry("deployed"))
    with live_cloud(folder) as cloud:
        yield cloud


def by_az(cloud: Cloud, home: Path, workspace: str) -> str:
    """`az resource show`, which prints nothing for null."""
    az = cloud.signed_in(home, cloud.owner)
    name = f"{WITHIN}/Microsoft.MachineLearningServices/workspaces/{workspace}"
    query = ("--query", "properties.containerRegistry", "--only-show-errors")
    shown = az.run("resource", "show", "--ids", name, *query).check().output.strip()
    return str(json.loads(shown)) if shown else "None"


def by_azure_ai_ml(cloud: Cloud, home: Path, workspace: str) -> str:
    """`MLClient.workspaces.get`, over azure-identity."""
    who = (cloud.url, cloud.owner.username, cloud.owner.password, TENANT)
    return _run(cloud, home, "azure-ai-ml", ML, *who, SUBSCRIPTION, GROUP, workspace)


def by_azureml_core(cloud: Cloud, home: Path, workspace: str) -> str:
    """`Workspace.get`, with a token that az got."""
    az = cloud.signed_in(home, cloud.owner)
    token = json.loads(az.run("account", "get-access-token", "--only-show-errors").check().output)["accessToken"]
    return _run(cloud, home, "azureml-core", CORE, token, SUBSCRIPTION, GROUP, workspace)


def _run(cloud: Cloud, home: Path, name: str, program: str, *arguments: str) -> str:
    """Run a few lines with one of Microsoft's packages; what they print last."""
    home.mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "ARM_CLOUD_METADATA_URL": f"{cloud.url}/metadata/endpoints?api-version=2019-05-01",
        "REQUESTS_CA_BUNDLE": str(cloud.bundle),
        "SSL_CERT_FILE": str(cloud.bundle),
    }
    command = (str(installed(name)), "-W", "ignore", "-c", program, *arguments)
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("read", [by_az, by_azure_ai_ml, by_azureml_core])
@pytest.mark.parametrize(("workspace", "expected"), [("default", "None"), ("deployed", ID)])
def test_the_container_registry_is_read(
    ready: Cloud, tmp_path: Path, read: Read, workspace: str, expected: str
) -> None:
    """Null before the first deployment, and the registry's id after it."""
    assert read(ready, tmp_path / "home", workspace) == expected
