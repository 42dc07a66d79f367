"""docker, podman and skopeo with one store of logins: all of them sign in, and stay so as long as the secret counts."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.client import Client, Endpoint
from tests.clients.containers import Podman
from tests.clients.docker import Docker
from tests.clients.layouts import Layout
from tests.clients.roster import Daemons
from tests.clients.skopeo import Skopeo
from tests.clients.trees import cleared_image
from tests.installation import Account, Installation
from tests.ports import free_port

TOKEN_USER = "00000000-0000-0000-0000-000000000000"
HOUR, DAY = 3600, 86_400
PERSON = "person"

pytestmark = [
    pytest.mark.client("docker", "dockerd", "podman", "skopeo"),
    pytest.mark.root,
    pytest.mark.xdist_group("docker"),
]


@dataclass(frozen=True)
class Shared:
    """One person with three programs that keep logins in docker's file.

    Attributes:
        installation: the registry, served when a test says so.
        account: the person's.
        clients: by name.
        store: docker's file.
        image: what all of them pull.
    """

    installation: Installation
    host: str
    account: Account
    clients: dict[str, Client]
    store: Path
    image: str

    def serve(self, ahead: float = 0.0) -> Any:
        """The registry at its place, by a clock that is so many seconds ahead."""
        return self.installation.serve(host=self.host, ahead=ahead)

    def log_in(self, *names: str, account: Account | None = None) -> None:
        """Sign in with programs, one after the other."""
        person = account or self.account
        for name in names:
            self.clients[name].log_in(person.username, person.password).check()

    def pulls(self) -> dict[str, bool]:
        """Which programs can pull."""
        return {name: client.pull(self.image).ok for name, client in self.clients.items()}

    def kept(self) -> dict[str, Any]:
        """The stored login."""
        found: dict[str, Any] = json.loads(self.store.read_text(encoding="utf-8"))["auths"][self.host]
        return found


@pytest.fixture(name="shared")
def _shared(tmp_path: Path, homes: Path, daemons: Daemons) -> Shared:
    installation = Installation(tmp_path / "data", {})
    account = installation.create_principal(PERSON, "Owner", "--days", "30")
    endpoint = Endpoint(f"127.0.0.1:{free_port()}", None)
    docker = Docker(homes / "docker", endpoint, daemons.socket("docker"))
    podman, skopeo = Podman(homes / "podman", endpoint), Skopeo(homes / "skopeo", endpoint)
    store = docker.home / "config.json"
    for program in (podman.program, skopeo.program):
        program.environment["REGISTRY_AUTH_FILE"] = str(store)
    clients: dict[str, Client] = {"docker": docker, "podman": podman, "skopeo": skopeo}
    layout = Layout(tmp_path / "layout")
    layout.add("cleared", cleared_image())
    image = f"{endpoint.host}/team/app:v1"
    shared = Shared(installation, endpoint.host, account, clients, store, image)
    with shared.serve():
        pusher = Skopeo(homes / "pusher", endpoint)
        pusher.log_in(account.username, account.password).check()
        pusher.push(layout, "cleared", image).check()
    return shared


ALL = {"docker": True, "podman": True, "skopeo": True}
NONE = dict.fromkeys(ALL, False)


@pytest.mark.parametrize("names", [("docker", "podman", "skopeo"), ("skopeo", "podman", "docker")])
def test_all_sign_in_beside_each_other(shared: Shared, names: tuple[str, ...]) -> None:
    """In whatever order: what one has stored keeps none of the others out, and serves them all."""
    with shared.serve():
        shared.log_in(*names)
        assert (shared.pulls(), sorted(shared.kept())) == (ALL, ["auth"])


def test_login_of_docker_holds_as_long_as_the_secret(shared: Shared) -> None:
    """After four hours, and on the last day; podman signs in beside it then as well."""
    with shared.serve():
        shared.log_in("docker")
    with shared.serve(4 * HOUR):
        assert shared.pulls() == ALL
    with shared.serve(29 * DAY):
        shared.log_in("podman")
        assert shared.pulls() == ALL
    with shared.serve(31 * DAY):
        assert shared.pulls() == NONE


@pytest.mark.parametrize("change", [("rotate",), ("disable",)])
def test_login_ends_with_the_secret(shared: Shared, change: tuple[str, ...]) -> None:
    """A command beside the running server renews the secrets, or shuts the person out."""
    with shared.serve():
        shared.log_in("docker", "podman")
        assert shared.pulls() == ALL
        done = shared.installation.run("principal", *change, PERSON, "--data", str(shared.installation.data))
        assert done.returncode == 0, done.stderr
        assert shared.pulls() == NONE


@pytest.fixture(name="exchange")
def _exchange(shared: Shared) -> Callable[[], Account]:
    """What `az acr login` does: a refresh token that was exchanged for a token, in the place of a secret."""

    def make() -> Account:
        login = {"username": shared.account.username, "password": shared.account.password}
        form = {"grant_type": "password", "access_type": "offline", **login}
        with httpx.Client(base_url=f"http://{shared.host}", trust_env=False) as client:
            kept = client.post("/oauth2/token", data=form).json()["refresh_token"]
            answer = client.post("/oauth2/exchange", data={"grant_type": "access_token", "access_token": kept})
        return Account(TOKEN_USER, answer.json()["refresh_token"])

    return make


def test_exchanged_login_holds_for_three_hours(shared: Shared, exchange: Callable[[], Account]) -> None:
    """Then, and not before, all have to sign in again."""
    with shared.serve():
        shared.log_in("docker", account=exchange())
        assert shared.pulls() == ALL
    with shared.serve(2.9 * HOUR):
        assert shared.pulls() == ALL
    with shared.serve(3.1 * HOUR):
        assert shared.pulls() == NONE
