"""The client of the administration API against servers that answer anything."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from registry.registry_client.administration import AdministrationClient, PlainHttpRefused, Refused
from registry.registry_client.credentials import Credentials
from registry.registry_client.endpoint import EndpointUnusable
from registry.registry_client.errors import RemoteError, SignInRefused, Unreachable, Unusable
from tests.hostile_server import Heard, HostileServer, answer, hostile

LOGIN = Credentials("admin", "secret", "the test")
REFUSAL = b'{"errors": [{"code": "DENIED", "message": "principal admin may not do that"}]}'
ANSWERS = {
    "not JSON": (answer("200 OK", b"<html>"), Unusable),
    "nothing at all": (b"", Unreachable),
    "cut": (answer("200 OK", b"{}", Content_Length="10"), Unreachable),
    "no HTTP": (b"SSH-2.0-x\r\n", Unreachable),
    "deep JSON": (answer("200 OK", b"[" * 100_000), Unusable),
    "another server's 404": (answer("404 Not Found", b"<html>"), Unusable),
    "a list for a refusal": (answer("403 Forbidden", b"[1]"), Unusable),
    "a redirection": (answer("302 Found", Location="http://elsewhere.example/"), Unusable),
    "a refusal": (answer("403 Forbidden", REFUSAL), Refused),
    "who is there": (answer("401 Unauthorized"), SignInRefused),
}


def client_of(server: HostileServer, login: Credentials | None = LOGIN) -> AdministrationClient:
    """A client of the server."""
    return AdministrationClient.to(server.host, login, {}, Path("/nonexistent"), timeout=10)


@pytest.mark.parametrize(("sent", "error"), ANSWERS.values(), ids=ANSWERS.keys())
def test_what_no_basegate_answers(sent: bytes, error: type[Exception]) -> None:
    """Is an error with the server's name, never one of Python's."""

    def answers(_heard: Heard) -> Iterable[bytes]:
        yield sent

    with hostile(answers) as server:
        with pytest.raises(error) as told:
            client_of(server).ask("GET", "/admin/v1/repositories")
        assert server.host in str(told.value) or error is Refused


def test_a_redirection_is_not_followed() -> None:
    """The secret goes to the server that was named."""
    asked: list[str] = []

    def elsewhere(heard: Heard) -> Iterable[bytes]:
        asked.append(heard.headers.get("authorization", ""))
        yield answer("200 OK", b"{}")

    with hostile(elsewhere) as other:

        def leading(_heard: Heard) -> Iterable[bytes]:
            yield answer("307 Temporary Redirect", Location=f"http://{other.host}/")

        with hostile(leading) as server, pytest.raises(RemoteError):
            client_of(server).ask("GET", "/admin/v1/repositories")
    assert asked == []


def test_an_answer_without_an_end() -> None:
    """Is given up when it is too long."""

    def endless(_heard: Heard) -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        for _ in range(70):
            yield bytes(1 << 20)

    with hostile(endless) as server, pytest.raises(Unusable, match="more than 67108864 bytes"):
        client_of(server).ask("GET", "/admin/v1/repositories")


@pytest.mark.parametrize("address", ["http://registry.example", "HTTP://192.0.2.1:5000/"])
def test_plain_http_to_another_machine(address: str) -> None:
    """Is refused before anything is sent."""
    with pytest.raises(PlainHttpRefused, match="HTTPS"):
        AdministrationClient.to(address, LOGIN, {}, Path("/nonexistent"))


def test_another_machine_is_asked_over_https() -> None:
    """When no scheme is written."""
    assert AdministrationClient.to("registry.example:5000", LOGIN, {}, Path("/")).endpoint.scheme == "https"


@pytest.mark.parametrize("address", ["", "a b", "registry/path", "ftp://registry", "registry:99999", "user@registry"])
def test_no_address(address: str) -> None:
    """Says what is needed."""
    with pytest.raises(EndpointUnusable, match="is no registry"):
        AdministrationClient.to(address, LOGIN, {}, Path("/nonexistent"))


def test_whose_secret_was_refused() -> None:
    """Is named, with where it comes from; without one, how to sign in."""

    def refusing(_heard: Heard) -> Iterable[bytes]:
        yield answer("401 Unauthorized")

    with hostile(refusing) as server:
        with pytest.raises(SignInRefused, match=r"of admin \(from the test\)"):
            client_of(server).ask("GET", "/")
        with pytest.raises(SignInRefused, match="basegate login"):
            client_of(server, None).ask("GET", "/")
