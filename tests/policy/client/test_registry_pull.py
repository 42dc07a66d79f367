"""A login that is tried with a pull: Basic, and tokens of the services that registries name."""

from collections.abc import Iterator

import pytest

from policy.client.api import Connection
from policy.client.registry_pull import pull_digest, sign_in
from registry.oci.image_reference import ImageReference
from registry.registry_client.credentials import Credentials
from registry.registry_client.errors import Absent, SignInRefused
from tests.policy.client.playback import Playback, playing

LOGIN = Credentials("sp", "hunter2", "the inference configuration")
BASIC = "Basic c3A6aHVudGVyMg=="
DIGEST = "sha256:" + "a" * 64


@pytest.fixture(name="server")
def _server() -> Iterator[Playback]:
    with playing() as running:
        running.headers = {"Docker-Content-Digest": DIGEST, "WWW-Authenticate": 'Basic realm="lab"'}
        yield running


def pull(server: Playback) -> str:
    """Try it."""
    image = ImageReference.parse(f"{server.host}/team/app:v1")
    return pull_digest(Connection(server.host), LOGIN, image)


def test_basic(server: Playback) -> None:
    """Most registries take it."""
    server.allowed = BASIC
    assert pull(server) == DIGEST


def test_a_token_of_the_same_host(server: Playback) -> None:
    """Asked for with the login and the scope of a pull."""
    server.allowed = "Bearer T"
    server.tokens = "T"
    server.headers["WWW-Authenticate"] = f'Bearer realm="http://{server.host}/token",service="lab"'
    assert pull(server) == DIGEST
    asked = next(each for each in server.asked if each[1].startswith("/token"))
    assert (asked[1], asked[2]) == (
        "/token?service=lab&client_id=basegate&scope=repository%3Ateam%2Fapp%3Apull",
        BASIC,
    )


def test_a_token_of_another_host(server: Playback) -> None:
    """The registry says where its tokens are given out, as Docker Hub does."""
    server.allowed = "Bearer T"
    with playing() as other:
        other.tokens = "T"
        server.headers["WWW-Authenticate"] = f'Bearer realm="http://{other.host}/token",service="lab"'
        assert pull(server) == DIGEST
    assert [each[2] for each in other.asked] == [BASIC]


def test_refused(server: Playback) -> None:
    """Named without the password."""
    server.allowed = "nobody"
    with pytest.raises(SignInRefused, match="refuses the user name sp") as refused:
        sign_in(Connection(server.host), LOGIN)
    assert "hunter2" not in str(refused.value)


def test_not_there(server: Playback) -> None:
    """A registry that has no such image."""
    server.status = 404
    with pytest.raises(Absent, match="has no manifest"):
        pull(server)
