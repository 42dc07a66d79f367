"""Signing in to other registries: Basic, tokens, and where credentials go."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from registry.auth.actions import Role
from registry.oci.digest import Digest
from registry.oci.names import Tag
from registry.registry_client.client import RegistryClient, from_file
from registry.registry_client.credentials import TOKEN_USER, CredentialsUnusable
from registry.registry_client.endpoint import Endpoint
from registry.registry_client.errors import SignInRefused
from tests.hostile_server import Heard, answer, hostile
from tests.other_registries import ALICE, distribution
from tests.registry.api.guarded import guarded_registry
from tests.registry.auth.people import person
from tests.registry.registry_client.clients import APP, blob_of, with_client
from tests.repository import Repository

V1 = Tag("v1")


@pytest.mark.parametrize("challenge", ["bearer", "basic"])
def test_our_registry(tmp_path: Path, challenge: str) -> None:
    """A principal's secret is good for reading, by token and by Basic; a wrong one, and none, are not."""
    pusher, reader = person(Role.ACR_PUSH), person(Role.ACR_PULL)
    with guarded_registry(tmp_path, challenge=challenge) as live:
        with live.client(auth=(pusher.row.name, pusher.secret())) as client:
            image = Repository(client, APP).image("v1")
        login = (reader.row.name, reader.secret())
        assert with_client(live.host, lambda client: client.pull.resolve(APP, V1), login) == image.digest
        for wrong in ((reader.row.name, "wrong"), None):
            with pytest.raises(SignInRefused):
                with_client(live.host, lambda client: client.pull.resolve(APP, V1), wrong)


def test_another_registry(tmp_path: Path) -> None:
    """distribution with a password file takes Basic."""
    with distribution(tmp_path, htpasswd=ALICE) as other:
        with other.client() as client:
            client.auth = ("alice", "secret")
            image = Repository(client, APP).image("v1")
        found = with_client(other.host, lambda client: client.pull.resolve(APP, V1), ("alice", "secret"))
        assert found == image.digest
        with pytest.raises(SignInRefused):
            with_client(other.host, lambda client: client.pull.resolve(APP, V1), ("alice", "wrong"))


class Service:
    """A registry with a token service, which counts what it gives out."""

    def __init__(self, life: int = 300) -> None:
        self.given = 0
        self.life = life
        self.good = ""

    def __call__(self, heard: Heard) -> Iterable[bytes]:
        """Answer one request."""
        if heard.path.startswith("/token"):
            self.given += 1
            self.good = f"Bearer t{self.given}"
            body = f'{{"token": "t{self.given}", "expires_in": {self.life}}}'
            return [answer("200 OK", body.encode())]
        if heard.headers.get("authorization") != self.good:
            realm = f"http://{heard.headers['host']}/token"
            return [answer("401 Unauthorized", WWW_Authenticate=f'Bearer realm="{realm}",service="s"')]
        return [answer("200 OK", Docker_Content_Digest=Digest.of(b""))]


def twice(service: Service, between: str = "") -> list[Heard]:
    """What is heard when a tag is resolved twice; `between` is the only token that is good by then."""

    async def work(client: RegistryClient) -> None:
        await client.pull.resolve(APP, V1)
        service.good = between or service.good
        await client.pull.resolve(APP, V1)

    with hostile(service) as server:
        with_client(server.host, work, ("alice", "secret"))
        return server.heard


def test_a_token_is_kept() -> None:
    """The second request takes the token of the first."""
    assert [heard.path.partition("?")[0] for heard in twice(Service())].count("/token") == 1


def test_a_token_is_renewed() -> None:
    """A token that is not good any more is replaced."""
    assert [heard.path.partition("?")[0] for heard in twice(Service(), "Bearer other")].count("/token") == 2


def test_the_token_is_asked_for_the_repository() -> None:
    """With the service and the scope of what is done, and the credentials."""
    (asked,) = [heard for heard in twice(Service()) if heard.path.startswith("/token")]
    assert "service=s" in asked.path
    assert f"scope=repository%3A{APP.replace('/', '%2F')}%3Apull" in asked.path
    assert asked.headers["authorization"] == "Basic YWxpY2U6c2VjcmV0"


def test_an_identity_token_is_redeemed() -> None:
    """What docker stores as an identity token is no password: it is exchanged for a token."""
    service = Service()
    with hostile(service) as server:
        with_client(server.host, lambda client: client.pull.resolve(APP, V1), (TOKEN_USER, "refresh"))
        assert [heard.method for heard in server.heard if heard.path.startswith("/token")] == ["POST"]


def test_credentials_stay_with_the_registry() -> None:
    """Where a redirection leads to hears neither password nor token."""
    layer = b"layer"
    with hostile(lambda _: [answer("200 OK", layer)]) as elsewhere:

        def answers(heard: Heard) -> Iterable[bytes]:
            if "authorization" not in heard.headers:
                return [answer("401 Unauthorized", WWW_Authenticate='Basic realm="r"', Set_Cookie="a=b")]
            return [answer("307 Temporary Redirect", Location=f"http://{elsewhere.host}/blob", Set_Cookie="a=b")]

        with hostile(answers) as server:
            assert signed_blob(server.host, layer) == layer
        (heard,) = elsewhere.heard
        assert not {"authorization", "cookie"} & heard.headers.keys()


def signed_blob(host: str, layer: bytes) -> bytes:
    """A blob that alice reads."""

    async def read(client: RegistryClient) -> bytes:
        return b"".join([piece async for piece in client.pull.blob(APP, Digest.of(layer), len(layer))])

    return with_client(host, read, ("alice", "secret"))


def test_a_file_of_credentials(tmp_path: Path) -> None:
    """What a file holds for the registry counts; a file that is not there, or has nothing for it, is an error."""
    file = tmp_path / "auth.json"
    endpoint = Endpoint.parse("registry.example", ca_files=())
    with pytest.raises(CredentialsUnusable, match="is not there"):
        from_file(file, endpoint)()
    file.write_text('{"auths": {"registry.example": {"auth": "YWxpY2U6c2VjcmV0"}}}')
    found = from_file(file, endpoint)()
    assert found is not None
    assert (found.username, found.password) == ("alice", "secret")
    with pytest.raises(CredentialsUnusable, match=r"no credentials for other\.example"):
        from_file(file, Endpoint.parse("other.example", ca_files=()))()


def test_a_blob_without_credentials() -> None:
    """A registry that wants none hears none."""
    with hostile(lambda _: [answer("200 OK", b"x")]) as server:
        assert blob_of(server.host, Digest.of(b"x"), 1) == b"x"
        assert "authorization" not in server.heard[0].headers
