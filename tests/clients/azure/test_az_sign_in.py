"""`az login` in its three ways, with principals of the registry as the identities."""

import json
import re
from pathlib import Path

import pytest

from tests.clients.azure.as_browser import fields_of, opened
from tests.clients.azure.az import Az, Cloud, as_browser
from tests.installation import Account

pytestmark = pytest.mark.xdist_group("azure-cli")
CODE = re.compile(r"open (\S+) in a browser and enter the code ([A-Z-]+)")


def user_of(az: Az) -> dict[str, str]:
    """Who az says that it is."""
    shown = json.loads(az.run("account", "show").check().output)
    return dict(shown["user"])


def test_a_service_principal_signs_in(az: Az, cloud: Cloud) -> None:
    """With a principal's name and one of its secrets."""
    assert user_of(az) == {"name": cloud.owner.username, "type": "servicePrincipal"}


def test_a_service_principal_signs_in_where_each_place_was_told(cloud: Cloud, home: Path) -> None:
    """`az cloud register --skip-endpoint-discovery`: with the places of the endpoint, in the form of ADFS."""
    az = cloud.az_by_hand(home)
    cloud.sign_in(az, cloud.owner).check()
    assert json.loads(az.run("acr", "show", "--name", "myregistry").check().output)["loginServer"] == cloud.host


def test_a_wrong_secret_is_told(cloud: Cloud, home: Path) -> None:
    """az prints what the endpoint says, and fails."""
    done = cloud.sign_in(cloud.az(home), Account(cloud.owner.username, "wrong"))
    assert not done.ok
    assert "the user name or the secret is wrong" in done.output


def test_a_browser_signs_in(cloud: Cloud, home: Path) -> None:
    """Plain `az login`: a page is opened, somebody signs in on it, and az goes on."""
    az = cloud.az(home, BROWSER=as_browser(home, cloud.url, cloud.pusher))
    az.run("login", seconds=120).check()
    assert user_of(az) == {"name": "ci", "type": "user"}
    assert json.loads(az.run("acr", "show", "--name", "myregistry").check().output)["name"] == "myregistry"


def test_a_device_code_signs_in(cloud: Cloud, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`az login --use-device-code`: the code is typed on the page of another machine."""
    monkeypatch.setenv("SSL_CERT_FILE", str(cloud.bundle))
    az = cloud.az(home)
    with az.start("login", "--use-device-code") as signing_in:
        assert signing_in.stdout is not None
        said = next(found for line in signing_in.stdout if (found := CODE.search(line)))
        form = {"user_code": said[2], "username": cloud.pusher.username, "password": cloud.pusher.password}
        opened(said[1], fields_of(opened(said[1])) | form)
        signing_in.stdout.read()
    assert signing_in.returncode == 0
    assert user_of(az)["name"] == "ci"
