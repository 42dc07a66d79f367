"""The gateway's caller against real sockets: what is sent, and how every refusal reads."""

import base64
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from policy.client.api import CheckNotPossible, Connection, check, explain
from registry.oci.image_reference import ImageReference
from registry.registry_client.credentials import Credentials
from tests.policy.client.playback import VERDICT, Playback


def image(server: Playback) -> ImageReference:
    """An image on the playback server."""
    return ImageReference.parse(f"{server.host}/team/app:v1")


def refusal(server: Playback, status: int, body: Any, credentials: Credentials | None = None) -> str:
    """The message of a refusal."""
    server.status, server.body = status, body
    with pytest.raises(CheckNotPossible) as caught:
        check(Connection(server.host, credentials), image(server))
    return str(caught.value)


def test_check_posts_the_reference(server: Playback) -> None:
    """The reference goes as JSON, with Basic credentials; the answer comes back as it is."""
    assert check(Connection(server.host, Credentials("u", "p", "flags")), image(server)).document() == VERDICT
    method, path, authorization, body = server.asked[0]
    assert (method, path) == ("POST", "/policy/v1/references:check")
    assert authorization == "Basic " + base64.b64encode(b"u:p").decode()
    assert json.loads(body) == {"reference": f"{server.host}/team/app:v1"}


def test_explain_asks_for_the_verdict(server: Playback) -> None:
    """Repository and reference stand in the path."""
    assert explain(Connection(server.host), image(server)) == VERDICT
    assert server.asked[0][:3] == ("GET", "/policy/v1/repositories/team/app/manifests/v1/verdict", "")


def test_not_signed_in(server: Playback) -> None:
    """Without credentials a 401 says how to sign in."""
    assert f"docker login {server.host}" in refusal(server, 401, {})


def test_wrong_credentials(server: Playback) -> None:
    """With credentials a 401 says whose, where they came from, and not the secret."""
    text = refusal(server, 401, {}, Credentials("alice", "hunter2", "/home/a/.docker/config.json"))
    assert "alice" in text
    assert "/home/a/.docker/config.json" in text
    assert "hunter2" not in text


def test_the_registrys_own_words(server: Playback) -> None:
    """The message of an error document is passed on."""
    body = {"errors": [{"code": "DENIED", "message": "principal x may not pull from team/app"}]}
    assert refusal(server, 403, body).endswith("principal x may not pull from team/app")


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"<html>"), (200, b"[]"), (200, {"a": 1}), (200, VERDICT | {"findings": [1]}), (301, {}), (500, b"")],
)
def test_not_a_gateway(server: Playback, status: int, body: Any) -> None:
    """Anything that is not a verdict means that nothing could be told."""
    assert f"answered {status} without a verdict" in refusal(server, status, body)


def test_nobody_there() -> None:
    """A refused connection is one sentence."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(CheckNotPossible, match="cannot be reached over http"):
            check(Connection(host), ImageReference.parse(f"{host}/a:v1"))


@pytest.mark.parametrize(
    ("connection", "scheme"),
    [
        (Connection("127.0.0.1:5000"), "http"),
        (Connection("localhost:5000"), "http"),
        (Connection("127.0.0.1:5000", ca_files=(Path("ca.crt"),)), "https"),
        (Connection("registry.example"), "https"),
        (Connection("registry.example", plain_http=True), "http"),
    ],
)
def test_scheme(connection: Connection, scheme: str) -> None:
    """Plain HTTP on loopback addresses or when asked for, HTTPS otherwise and whenever a CA is given."""
    assert connection.scheme == scheme
