"""`basegate check` and `explain` against a live server, over HTTP and HTTPS, with real images."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("asking")


@pytest.fixture(scope="module", name="secure")
def _secure(folder: Path) -> Iterator[LiveGateway]:
    """A server with a certificate of `basegate tls init`, and two images."""
    made = CliRunner().invoke(basegate, ["tls", "init", "--data", str(folder / "data"), "--json"])
    files = json.loads(made.stdout)
    tls = {"tls_cert": files["certificate"], "tls_key": files["key"]}
    with live_gateway(folder / "data", Path(files["ca"]), **tls) as live:
        live.push(folder / "good", "team/app:good", cleared_image())
        live.push(folder / "bad", "team/app:bad", refused_image())
        yield live


def ask(live: LiveGateway, command: str, tag: str, *more: str) -> Result:
    """Ask as the reader, with the authority that signed the server's certificate."""
    login = ["--username", "reader", "--password-stdin", "--ca-file", str(live.ca)]
    arguments = [command, f"{live.host}/team/app:{tag}", *login, *more]
    return CliRunner().invoke(basegate, arguments, input=live.secrets["reader"])


def test_a_cleared_image(secure: LiveGateway) -> None:
    """Exit code 0 over HTTPS."""
    result = ask(secure, "check", "good")
    assert (result.exit_code, result.stdout.partition(":")[0]) == (0, "allowed")


def test_a_refused_image(secure: LiveGateway) -> None:
    """Exit code 1, and what is needed."""
    result = ask(secure, "check", "bad")
    assert (result.exit_code, "needs 3.5.x or 3.6.x" in result.stdout) == (1, True)


def test_explain(secure: LiveGateway) -> None:
    """The nearest fix is told, and the evidence shown."""
    result = ask(secure, "explain", "bad")
    assert result.exit_code == 1
    assert "to do: " in result.stdout
    assert "opt/miniconda/conda-meta/python-3.7.1-h0371630_7.json" in result.stdout


def test_an_unknown_authority(secure: LiveGateway, tmp_path: Path) -> None:
    """A certificate of an authority that is not trusted: exit code 2, and which flag helps."""
    other = CliRunner().invoke(basegate, ["tls", "init", "--data", str(tmp_path), "--json"])
    arguments = ["check", f"{secure.host}/team/app:good", "--ca-file", json.loads(other.stdout)["ca"]]
    result = CliRunner().invoke(basegate, arguments)
    assert (result.exit_code, "--ca-file" in result.stderr) == (2, True)


def test_plain_http_where_https_is_spoken(secure: LiveGateway, tmp_path: Path) -> None:
    """On a loopback address HTTP is tried; the answer says that HTTPS is needed."""
    result = CliRunner().invoke(basegate, ["check", f"{secure.host}/team/app:good"], env={"HOME": str(tmp_path)})
    assert (result.exit_code, "--ca-file" in result.stderr) == (2, True)


def test_a_wrong_secret(secure: LiveGateway) -> None:
    """Exit code 2: nothing could be told."""
    arguments = ["check", f"{secure.host}/a:v1", "--username", "reader", "--password", "x", "--ca-file", str(secure.ca)]
    result = CliRunner().invoke(basegate, arguments)
    assert (result.exit_code, "refused the credentials of reader" in result.stderr) == (2, True)
