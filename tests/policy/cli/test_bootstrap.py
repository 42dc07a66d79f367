"""Principals that a bootstrap file names: there before anybody can ask, at every start, and never printed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from policy.cli.main import basegate
from tests.policy.cli.test_serve import refused, status
from tests.server_process import Serving, serving

SECRET = "the-builder-pushes-with-it"
OTHER = "another-secret-of-the-builder"


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    """A pusher whose secret is a file of its own, and a reader."""
    (tmp_path / "builder-secret").write_text(f"{SECRET}\n")
    path = tmp_path / "bootstrap.yaml"
    path.write_text(
        "- {name: builder, role: AcrPush, repositories: [team/*], secret_file: builder-secret}\n"
        f"- {{name: deployer, role: AcrPull, secret: {OTHER}}}\n"
    )
    return path


@contextmanager
def started(file: Path, *arguments: str) -> Iterator[Serving]:
    """A server with its bootstrap file in the environment."""
    data = file.with_name("data")
    environment = {"BASEGATE_BOOTSTRAP_FILE": str(file), "BASEGATE_LOG__LEVEL": "info"}
    with serving(data, *arguments, **environment) as server:
        yield server


def token_with(host: str, secret: str) -> str:
    """An access token of the builder, for pulling."""
    query = {"service": host, "scope": "repository:team/app:pull"}
    found = httpx.get(f"http://{host}/oauth2/token", params=query, auth=("builder", secret))
    return str(found.json()["access_token"])


def asked(host: str, token: str) -> int:
    """What a tag list is answered with a token; 404 is that of a repository that is not there."""
    found = httpx.get(f"http://{host}/v2/team/app/tags/list", headers={"Authorization": f"Bearer {token}"})
    return found.status_code


def principals(data: Path) -> dict[str, Any]:
    """What `principal list` says."""
    found = CliRunner().invoke(basegate, ["principal", "list", "--json", "--data", str(data)])
    return {item["name"]: item for item in json.loads(found.stdout)}


def test_credentials_are_good_at_once(file: Path) -> None:
    """And no others are made."""
    with started(file) as server:
        assert [status(server.host, "builder", SECRET), status(server.host, "deployer", OTHER)] == [200, 200]
    assert sorted(principals(file.with_name("data"))) == ["builder", "deployer"]
    assert principals(file.with_name("data"))["builder"]["repositories"] == ["team/*"]


def test_nothing_secret_is_printed_or_logged(file: Path) -> None:
    """Not on standard output, not in the log or the audit log, which name who was made."""
    with started(file) as server:
        assert server.host
        assert "builder" in server.logged("principal of the bootstrap file")[0]
        printed = server.stop()
    data = file.with_name("data")
    log, audit = (data / "serving.log").read_text(), (data / "audit" / "audit.log").read_text()
    assert "principal.bootstrap" in audit
    assert not [secret for secret in (SECRET, OTHER) if secret in printed + log + audit]


def test_a_repeated_start_changes_nothing(file: Path) -> None:
    """Tokens that were got before it go on."""
    with started(file) as server:
        token = token_with(server.host, SECRET)
    before = principals(file.with_name("data"))
    with started(file) as server:
        assert (asked(server.host, token), status(server.host, "builder", SECRET)) == (404, 200)
    assert principals(file.with_name("data")) == before


def test_a_changed_secret_counts_from_the_next_start(file: Path) -> None:
    """The old one, and the tokens got with it, have ended."""
    with started(file) as server:
        token = token_with(server.host, SECRET)
    file.with_name("builder-secret").write_text(OTHER)
    with started(file) as server:
        assert [status(server.host, "builder", secret) for secret in (SECRET, OTHER)] == [401, 200]
        assert asked(server.host, token) == 401
        assert "secret replaced" in server.logged("principal of the bootstrap file")[-1]


def test_a_changed_role_counts_from_the_next_start(file: Path) -> None:
    """So do repositories; the id stays."""
    with started(file) as server:
        assert server.host
    before = principals(file.with_name("data"))["builder"]
    file.write_text(file.read_text().replace("AcrPush, repositories: [team/*]", "AcrPull, repositories: [lab/*]"))
    with started(file) as server:
        assert server.host
    after = principals(file.with_name("data"))["builder"]
    assert (after["id"], after["role"], after["repositories"]) == (before["id"], "AcrPull", ["lab/*"])


def test_who_was_shut_out_stays_so(file: Path) -> None:
    """A start lets nobody in again."""
    data = file.with_name("data")
    with started(file) as server:
        assert server.host
    CliRunner().invoke(basegate, ["principal", "disable", "builder", "--data", str(data)])
    with started(file) as server:
        assert status(server.host, "builder", SECRET) == 401


def test_a_broken_file_ends_the_start(tmp_path: Path) -> None:
    """With 2 and one line that names the line and the field; nothing was made."""
    (tmp_path / "broken.yaml").write_text("- name: builder\n  role: Pusher\n")
    words = ("--data", str(tmp_path / "data"), "--bootstrap-file", str(tmp_path / "broken.yaml"))
    said = refused(*words).stderr
    assert "broken.yaml line 2: role is 'Pusher': needs AcrPull" in said
    assert not (tmp_path / "data").exists()


def test_a_missing_file_ends_the_start(tmp_path: Path) -> None:
    """A mount that was forgotten is not an open door."""
    said = refused("--data", str(tmp_path / "data"), BASEGATE_BOOTSTRAP_FILE=str(tmp_path / "none.yaml")).stderr
    assert "none.yaml cannot be read: No such file or directory" in said


def test_init_makes_them_as_well(file: Path, tmp_path: Path) -> None:
    """Before the first start; no secret is shown."""
    words = ["init", "--data", str(tmp_path / "data"), "--bootstrap-file", str(file)]
    made = CliRunner().invoke(basegate, words)
    assert (made.exit_code, SECRET in made.output) == (0, False)
    assert sorted(principals(tmp_path / "data")) == ["builder", "deployer"]
