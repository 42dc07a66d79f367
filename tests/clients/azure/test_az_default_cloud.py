"""az with nothing configured but a proxy: it takes the lab for Azure's public cloud."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.azure.az import REGISTRY, Az, Cloud, live_cloud
from tests.clients.azure.names_of_azure import leading
from tests.clients.azure.pushing import pushed

pytestmark = pytest.mark.xdist_group("azure-cli")
SIGN_IN, MANAGEMENT, LOGIN_SERVER = "login.microsoftonline.com", "management.azure.com", f"{REGISTRY}.azurecr.io"


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud whose certificate has Azure's names."""
    folder = tmp_path_factory.mktemp("default-cloud")
    with live_cloud(folder, hosts=(SIGN_IN, MANAGEMENT, LOGIN_SERVER), LOGIN_SERVER=LOGIN_SERVER) as live:
        yield live


def test_an_az_that_was_told_of_no_cloud(azure: Cloud, home: Path, tmp_path: Path) -> None:
    """It signs in, finds the registry, and lists what is in it."""
    pushed(azure, tmp_path, "az/app:v1")
    endpoint = azure.url.removeprefix("https://").replace("localhost", "127.0.0.1")
    registry = azure.host.replace("localhost", "127.0.0.1")
    with leading({SIGN_IN: endpoint, MANAGEMENT: endpoint, LOGIN_SERVER: registry}) as proxy:
        az = Az(home, azure.bundle, {"HTTPS_PROXY": proxy, "NO_PROXY": "localhost"})
        azure.sign_in(az, azure.owner).check()
        listed = az.run("acr", "repository", "list", "--name", REGISTRY, "--only-show-errors", "--output", "json")
        assert json.loads(listed.check().output) == ["az/app"]
