"""Credentials reach the registry they belong to and nobody else: what the servers around have seen is what counts."""

import base64
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from tests.policy.client.playback import Playback, playing

GIVEN = ("--username", "ci", "--password-stdin")
SECRET = "hunter2"
OWN = {"username": "sp", "password": "own-secret"}


@pytest.fixture(name="other")
def _other() -> Iterator[Playback]:
    """Another server, which should learn nothing."""
    with playing() as running:
        yield running


def run(home: Path, *arguments: str, **variables: str) -> Result:
    """Run a command with a home of its own; the secret is on standard input."""
    environment = {"HOME": str(home), "XDG_RUNTIME_DIR": "", "XDG_CONFIG_HOME": "", "DOCKER_CONFIG": "", **variables}
    return CliRunner().invoke(basegate, list(arguments), input=f"{SECRET}\n", env=environment)


def config(folder: Path, image: str, registry: dict[str, str] | None = None) -> tuple[str, str]:
    """The flag and a configuration file that names an image, and perhaps a registry with credentials."""
    document: dict[str, Any] = {"entryScript": "score.py", "runtime": "python", "baseImage": image}
    file = folder / "ic.json"
    file.write_text(json.dumps(document | ({"baseImageRegistry": registry} if registry else {})))
    return "--inference-config", str(file)


def basic(username: str, password: str) -> str:
    """The header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def seen(server: Playback) -> list[str]:
    """The credentials that a server has seen, in order."""
    return [request[2] for request in server.asked]


def store(home: Path, document: dict[str, Any]) -> None:
    """Docker's configuration file."""
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text(json.dumps(document))


def test_given_credentials_do_not_follow_a_file(server: Playback, tmp_path: Path) -> None:
    """A registry that only the file names is not even asked; the refusal says what to do."""
    result = run(tmp_path, "check", *config(tmp_path, f"{server.host}/a:v1"), *GIVEN)
    assert (result.exit_code, server.asked) == (2, [])
    assert f"give --gateway {server.host}" in result.stderr


@pytest.mark.parametrize("variables", [{"BASEGATE_USERNAME": "ci", "BASEGATE_PASSWORD": SECRET}])
def test_credentials_of_the_environment_do_not_follow_a_file(
    server: Playback, tmp_path: Path, variables: dict[str, str]
) -> None:
    """They are given as well."""
    result = run(tmp_path, "check", *config(tmp_path, f"{server.host}/a:v1"), **variables)
    assert (result.exit_code, server.asked) == (2, [])


def test_given_credentials_go_to_the_given_gateway(server: Playback, other: Playback, tmp_path: Path) -> None:
    """Whatever the file names."""
    named = config(tmp_path, f"{other.host}/a:v1")
    assert run(tmp_path, "check", *named, *GIVEN, "--gateway", server.host).exit_code == 0
    assert run(tmp_path, "check", *named, *GIVEN, BASEGATE_GATEWAY=server.host).exit_code == 0
    assert (seen(server), seen(other)) == ([basic("ci", SECRET)] * 2, [])


@pytest.mark.parametrize("command", ["check", "explain"])
def test_given_credentials_go_where_the_typed_image_is(server: Playback, tmp_path: Path, command: str) -> None:
    """The person has named the registry."""
    run(tmp_path, command, f"{server.host}/a:v1", *GIVEN)
    assert seen(server) == [basic("ci", SECRET)]


def test_own_credentials_of_a_file_when_others_are_given(server: Playback, tmp_path: Path) -> None:
    """The given ones are kept back, those that the file has for its registry are used."""
    named = config(tmp_path, f"{server.host}/a:v1", {"address": server.host, **OWN})
    assert run(tmp_path, "check", *named, *GIVEN).exit_code == 0
    assert seen(server) == [basic("sp", "own-secret")]


def test_own_credentials_of_a_file_after_given_ones(server: Playback, tmp_path: Path) -> None:
    """Where the given ones may go they go first, and the file's when those are refused."""
    server.allowed = basic("sp", "own-secret")
    named = config(tmp_path, f"{server.host}/a:v1", {"address": server.host, **OWN})
    assert run(tmp_path, "check", *named, *GIVEN, "--gateway", server.host).exit_code == 0
    assert seen(server) == [basic("ci", SECRET), basic("sp", "own-secret")]


def test_stored_credentials_after_own_ones_of_a_file(server: Playback, tmp_path: Path) -> None:
    """What docker has stored for the registry is the last that is tried, and only then asked for."""
    server.allowed = basic("stored", "s")
    store(tmp_path, {"auths": {server.host: {"username": "stored", "password": "s"}}})
    named = config(tmp_path, f"{server.host}/a:v1", {"address": server.host, **OWN})
    assert run(tmp_path, "check", *named).exit_code == 0
    assert seen(server) == [basic("sp", "own-secret"), basic("stored", "s")]


def test_all_that_was_refused_is_told(server: Playback, tmp_path: Path) -> None:
    """Who and from where, and no secret."""
    server.allowed = "nobody"
    named = config(tmp_path, f"{server.host}/a:v1", {"address": server.host, **OWN})
    result = run(tmp_path, "check", *named, *GIVEN, "--gateway", server.host)
    assert (result.exit_code, "ci (from the command line), and of sp" in result.stderr) == (2, True)
    assert not [secret for secret in (SECRET, "own-secret") if secret in result.output]


@pytest.mark.parametrize("address", ["other.example", "{host}/more", "user@{host}", "{host}.example", "x{host}"])
def test_own_credentials_of_a_file_for_another_address(server: Playback, tmp_path: Path, address: str) -> None:
    """The file names another registry for them than it does for the image."""
    named = config(tmp_path, f"{server.host}/a:v1", {"address": address.format(host=server.host), **OWN})
    run(tmp_path, "check", *named)
    assert not any(seen(server))


def test_own_credentials_of_a_file_do_not_go_to_another_gateway(server: Playback, tmp_path: Path) -> None:
    """They are for the file's registry."""
    named = config(tmp_path, "other.example/a:v1", {"address": "other.example", **OWN})
    run(tmp_path, "check", *named, "--gateway", server.host)
    assert seen(server) == [""]


@pytest.mark.parametrize("form", ["auths", "credHelpers"])
def test_stored_credentials_of_another_registry(server: Playback, other: Playback, tmp_path: Path, form: str) -> None:
    """A login for one port is none for another."""
    helper = tmp_path / "docker-credential-mine"
    helper.write_text('#!/bin/sh\necho \'{"Username": "stored", "Secret": "s"}\'\n')
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
    entry = {"username": "stored", "password": "s"}
    store(tmp_path, {form: {other.host: entry if form == "auths" else "mine"}})
    for host in (server.host, other.host):
        run(tmp_path, "check", f"{host}/a:v1", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert (seen(server), seen(other)) == ([""], [basic("stored", "s")])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 401])
def test_registry_that_sends_elsewhere(server: Playback, other: Playback, tmp_path: Path, status: int) -> None:
    """Neither a redirection nor the realm of a challenge is followed."""
    server.status = status
    realm = f'Bearer realm="http://{other.host}/token",service="s",scope="repository:a:pull"'
    server.headers = {"Location": f"http://{other.host}/policy", "WWW-Authenticate": realm}
    for command in ("check", "explain"):
        assert run(tmp_path, command, f"{server.host}/a:v1", *GIVEN).exit_code == 2
    assert (len(server.asked), other.asked) == (2, [])


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_proxy_of_the_environment(server: Playback, other: Playback, tmp_path: Path, name: str) -> None:
    """It is not asked about this machine's own registry."""
    assert run(tmp_path, "check", f"{server.host}/a:v1", *GIVEN, **{name: f"http://{other.host}"}).exit_code == 0
    assert (len(server.asked), other.asked) == (1, [])


def test_https_is_not_given_up(other: Playback, tmp_path: Path) -> None:
    """Where HTTPS does not work, nothing is sent in the open: this server speaks HTTP only."""
    certificates = tmp_path / ".config/containers/certs.d" / other.host
    certificates.mkdir(parents=True)
    made = run(tmp_path, "tls", "init", "--data", str(tmp_path / "data"), "--json")
    (certificates / "ca.crt").write_bytes(Path(json.loads(made.stdout)["ca"]).read_bytes())
    assert run(tmp_path, "check", f"{other.host}/a:v1", *GIVEN).exit_code == 2
    assert other.asked == []


@pytest.mark.parametrize("host", ["{host}#.b.example", "{host}?.b.example:1", "{host}\\.b:1", "ci:x y.example"])
def test_host_that_hides_another(server: Playback, tmp_path: Path, host: str) -> None:
    """What URLs and people would read differently is no registry."""
    name = host.format(host=server.host)
    typed = run(tmp_path, "check", f"{name}/a:v1", *GIVEN)
    given = run(tmp_path, "check", *config(tmp_path, "other.example/a:v1"), *GIVEN, "--gateway", name)
    assert (typed.exit_code, given.exit_code, server.asked) == (2, 2, [])


@pytest.mark.parametrize("gateway", ["http://{host}", "ci:x@{host}", "{host}/path"])
def test_gateway_that_is_no_host(server: Playback, tmp_path: Path, gateway: str) -> None:
    """A URL is refused in words."""
    result = run(tmp_path, "check", "h:1/a:v1", *GIVEN, "--gateway", gateway.format(host=server.host))
    assert (result.exit_code, "needs HOST or HOST:PORT" in result.stderr, server.asked) == (2, True, [])
