"""`az acr check-health`: whole where the registry is on port 443; else az looks up name and port as one host."""

import fcntl
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.azure.az import REGISTRY, Az, Cloud, live_cloud

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("azure-cli")]
ADDRESS = "127.0.0.43"
COMMAND = ("acr", "check-health", "--name", REGISTRY, "--ignore-errors", "--yes")


@pytest.fixture(scope="module")
def on_443(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud whose registry is on the port of HTTPS, of which there is one: whoever else runs these tests waits."""
    folder = tmp_path_factory.mktemp("health")
    with (Path(tempfile.gettempdir()) / "basegate-tests-443").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        with live_cloud(folder, address=f"{ADDRESS}:443", hosts=(ADDRESS,), LOGIN_SERVER=ADDRESS) as live:
            yield live


def test_on_the_port_of_https(on_443: Cloud, home: Path) -> None:
    """The name, the challenge and both tokens are found good."""
    done = on_443.signed_in(home, on_443.owner).run(*COMMAND)
    for line in (
        f"DNS lookup to {ADDRESS} at IP {ADDRESS} : OK",
        f"Challenge endpoint https://{ADDRESS}/v2/ : OK",
        f"Fetch refresh token for registry '{ADDRESS}' : OK",
        f"Fetch access token for registry '{ADDRESS}' : OK",
    ):
        assert line in done.output
    assert (done.code, re.findall("CONNECTIVITY_[A-Z_]+", done.output)) == (0, [])


def test_rights_in_a_repository(on_443: Cloud, home: Path) -> None:
    """`--repository`: an owner has all that az asks for."""
    done = on_443.signed_in(home, on_443.owner).run(*COMMAND, "--repository", "team/app")
    assert f"Fetch access token for repository 'team/app' in registry '{ADDRESS}' : OK" in done.output


def test_with_a_port_in_the_name(az: Az, cloud: Cloud) -> None:
    """az takes name and port for the name of a host, and goes no further."""
    done = az.run(*COMMAND)
    assert "CONNECTIVITY_DNS_ERROR" in done.output
    assert f"'{cloud.host}'" in done.output
    assert "Challenge endpoint" not in done.output
