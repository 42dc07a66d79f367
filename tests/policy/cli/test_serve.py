"""`basegate serve`: the first start, the second, and every start that cannot be."""

import re
import socket
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from policy.app import build
from policy.cli.main import basegate
from policy.cli.serve import Greeting
from policy.settings import Settings
from tests.server_process import serving


def refused(*arguments: str, **environment: str) -> Result:
    """Try a start that must fail; gives what was printed."""
    result = CliRunner().invoke(basegate, ["serve", *arguments], env=environment)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    return result


def status(host: str, name: str, secret: str) -> int:
    """What `/v2/` answers to a principal."""
    return httpx.get(f"http://{host}/v2/", auth=(name, secret)).status_code


@pytest.fixture(scope="module", name="data")
def _data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve") / "data"


@pytest.fixture(scope="module", name="first")
def _first(data: Path) -> str:
    """What the first start of a data folder prints."""
    with serving(data) as server:
        assert server.host
        return server.stop()


@pytest.fixture(scope="module", name="secrets")
def _secrets(first: str) -> dict[str, str]:
    rows = [line.split() for line in first.splitlines() if line.startswith(("  admin ", "  reader "))]
    return {name: secret for name, _role, secret in rows}


def test_first_start_says_how_to_begin(first: str, secrets: dict[str, str]) -> None:
    """Secrets, and the commands with the real address and the real secrets in them."""
    host = first.splitlines()[0].split("http://")[1].split()[0]
    assert f"echo '{secrets['admin']}' | docker login {host} --username admin --password-stdin" in first
    assert f"docker build --tag {host}/team/app:v1 config/examples/offline" in first
    assert f"docker push {host}/team/app:v1" in first
    assert f"check {host}/team/app:v1" in first
    assert f"echo '{secrets['reader']}' | docker login {host} --username reader --password-stdin" in first


def test_second_start_prints_no_secrets_and_keeps_them(data: Path, secrets: dict[str, str]) -> None:
    """What is served where, and the end; the old secrets still sign in."""
    with serving(data) as server:
        assert status(server.host, "admin", secrets["admin"]) == 200
        assert status(server.host, "reader", secrets["reader"]) == 200
        said = [line.split()[0] for line in server.stop().splitlines()]
    assert said == ["basegate", "version", "folder", "policies", "page", "stop", "stopping"]


def test_a_start_says_what_it_serves(tmp_path: Path) -> None:
    """Version, the whole path of the folder, the policies with their modes, by whom it is stopped."""
    (tmp_path / "basegate.yaml").write_text(
        "policy: {bindings: [{repositories: team/*, policy: azureml-2020-11, mode: warn}]}"
    )
    with serving(tmp_path / "data", "--config", str(tmp_path / "basegate.yaml"), BASEGATE_LOG__LEVEL="info") as server:
        server.wait_for(re.compile(r"^  stop .*\n", re.MULTILINE))
        logged, number = server.logged("serving ")[0], server.process.pid
        said = dict(line.split(maxsplit=1) for line in server.stop().splitlines() if line.startswith("  "))
    assert said["version"] == version("basegate")
    assert said["folder"] == str(tmp_path / "data")
    assert said["policies"] == "azureml-2019-07 (enforce); team/*: azureml-2020-11 (warn)"
    assert said["stop"] == f"Ctrl-C here, or kill {number}"
    assert said["policies"] in logged


def test_the_signing_keys_are_private(data: Path, first: str) -> None:
    """The files of keys are readable by their owner only."""
    assert {file.stat().st_mode & 0o777 for file in (data / "keys").iterdir()} == {0o600}


def test_a_second_server_is_refused(tmp_path: Path) -> None:
    """A data folder belongs to one server at a time."""
    with serving(tmp_path) as server:
        assert server.host
        assert "in use by another server" in refused("--data", str(tmp_path), "--listen", "no-address").stderr


def test_quiet_prints_only_the_secrets(tmp_path: Path) -> None:
    """What cannot be shown again is shown all the same."""
    with serving(tmp_path, "--quiet") as server:
        server.wait_for(re.compile(r"^  reader +AcrPull +\S+\n", re.MULTILINE))
        lines = server.stop().splitlines()
    assert [line.split()[0] for line in lines] == ["First", "admin", "reader"]


def test_a_taken_port(tmp_path: Path) -> None:
    """The line names the address and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = refused("--data", str(tmp_path), "--listen", address)
    assert address in result.stderr
    assert "--listen" in result.stderr


def test_a_taken_port_makes_no_principals(tmp_path: Path) -> None:
    """A start that fails leaves the secrets of the first start to the first that succeeds."""
    refused("--data", str(tmp_path), "--listen", "256.256.256.256:1")
    assert not (tmp_path / "registry.db").exists()


def test_the_secrets_are_shown_before_the_app_closes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Principals that were made, but never shown, would otherwise have secrets that nobody knows."""
    with closing(build(Settings.model_validate({"data": tmp_path}))) as app, Greeting(app, quiet=True) as greeting:
        greeting.greet("http://127.0.0.1:5000")
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["First", "admin", "reader"]


def test_an_unwritable_data_folder(tmp_path: Path) -> None:
    """A file in the folder's place cannot be written into, not even by root."""
    (tmp_path / "file").touch()
    assert "--data" in refused("--data", str(tmp_path / "file")).stderr


@pytest.mark.parametrize(
    ("content", "part"),
    [("log: {level: loud}", "log.level"), ("lissten: x", "did you mean listen"), ("a: [", "not YAML"), (None, "read")],
)
def test_a_broken_settings_file(tmp_path: Path, content: str | None, part: str) -> None:
    """The line names the key or the file."""
    file = tmp_path / "basegate.yaml"
    if content is not None:
        file.write_text(content)
    assert part in refused("--config", str(file), "--data", str(tmp_path)).stderr


def test_a_broken_variable(tmp_path: Path) -> None:
    """The environment is checked like the file."""
    result = refused("--data", str(tmp_path), BASEGATE_POLICY__MODE="lenient")
    assert "policy.mode" in result.stderr


def test_half_a_certificate(tmp_path: Path) -> None:
    """TLS needs certificate and key."""
    assert "tls_key" in refused("--data", str(tmp_path), "--tls-cert", str(tmp_path / "cert.pem")).stderr


def test_rising_order(tmp_path: Path) -> None:
    """The environment wins over the file, and a flag over the environment."""
    (tmp_path / "basegate.yaml").write_text("listen: from-file")
    arguments = ("--config", str(tmp_path / "basegate.yaml"), "--data", str(tmp_path))
    assert "'from-file'" in refused(*arguments).stderr
    assert "'from-variable'" in refused(*arguments, BASEGATE_LISTEN="from-variable").stderr
    assert "'from-flag'" in refused(*arguments, "--listen", "from-flag", BASEGATE_LISTEN="from-variable").stderr
