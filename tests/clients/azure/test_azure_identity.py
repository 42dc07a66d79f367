"""azure-containerregistry with a credential of azure-identity: a service principal signs in at the endpoint."""

import subprocess
from pathlib import Path

import pytest

from tests.clients.azure.az import TENANT, Cloud, installed
from tests.clients.azure.pushing import pushed

pytestmark = pytest.mark.xdist_group("azure-cli")
PROGRAM = """
import sys
from azure.containerregistry import ContainerRegistryClient
from azure.identity import ClientSecretCredential
url, registry, tenant, name, secret, repository = sys.argv[1:]
credential = ClientSecretCredential(tenant, name, secret, authority=url, disable_instance_discovery=True)
with ContainerRegistryClient(registry, credential, audience="https://containerregistry.azure.net") as client:
    print(client.get_manifest_properties(repository, "v1").digest)
"""


def called(cloud: Cloud, folder: Path, secret: str, repository: str) -> subprocess.CompletedProcess[str]:
    """Run it as the owner."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "REQUESTS_CA_BUNDLE": str(cloud.bundle)}
    arguments = (cloud.url, f"https://{cloud.host}", TENANT, cloud.owner.username, secret, repository)
    command = (str(installed("azure-containerregistry")), "-W", "ignore", "-c", PROGRAM, *arguments)
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )


def test_a_service_principal_reads_attributes(cloud: Cloud, tmp_path: Path) -> None:
    """With its secret, in the paths of Entra."""
    digest = pushed(cloud, tmp_path, "identity/app:v1")
    done = called(cloud, tmp_path, cloud.owner.password, "identity/app")
    assert (done.returncode, done.stdout.strip()) == (0, digest), done.stderr


def test_a_wrong_secret_is_told(cloud: Cloud, tmp_path: Path) -> None:
    """As Entra words it."""
    done = called(cloud, tmp_path, "wrong", "identity/app")
    assert "AADSTS7000215" in done.stderr
