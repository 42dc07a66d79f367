"""`basegate config`: settings before a server reads them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.cli.config import config_group
from registry.config.group import Group
from registry.config.settings import RegistrySettings


class _Extra(Group):
    colour: str = "blue"


class _Wider(RegistrySettings):
    extra: _Extra = _Extra()


def _run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(basegate, ["config", *arguments], env=environment)


def test_good_file(tmp_path: Path) -> None:
    """Exit code 0."""
    file = tmp_path / "good.yaml"
    file.write_text("log: {level: debug}")
    assert (_run("check", str(file)).exit_code, _run("check", str(file)).output) == (0, f"{file} is good\n")


@pytest.mark.parametrize(
    "text", ["log: {levle: debug}", "log: {level: loud}", "a: [", "listen: nowhere", "tls_cert: /none", "tls_key: /n"]
)
def test_bad_file(tmp_path: Path, text: str) -> None:
    """Exit code 2 and one line, for everything that would keep a server from starting."""
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    result = _run("check", str(file))
    assert (result.exit_code, result.output.count("\n")) == (2, 1)


def test_an_open_registry_on_the_network_is_warned_of(tmp_path: Path) -> None:
    """The file is good, and a line each says what it opens, and that it does so without TLS."""
    file = tmp_path / "open.yaml"
    file.write_text("{listen: '0.0.0.0:5000', auth: {required: false}}")
    result = _run("check", str(file))
    assert (result.exit_code, result.stdout) == (0, f"{file} is good\n")
    unguarded, plain = result.stderr.splitlines()
    assert unguarded.startswith("warning: auth.required is false and listen is 0.0.0.0:5000")
    assert plain.startswith("warning: ")
    assert "HTTP" in plain


def test_what_counts_is_shown(tmp_path: Path) -> None:
    """File and environment together."""
    file = tmp_path / "some.yaml"
    file.write_text("limits: {tags_page: 5}")
    shown = json.loads(_run("show", "--json", "--config", str(file), BASEGATE_LOG__LEVEL="error").output)
    assert (shown["limits"]["tags_page"], shown["log"]["level"]) == (5, "error")


def test_shown_settings_are_a_settings_file(tmp_path: Path) -> None:
    """What is printed for a person can be used again."""
    file = tmp_path / "again.yaml"
    file.write_text(_run("show", BASEGATE_LIMITS__TAGS_PAGE="5").output)
    assert json.loads(_run("show", "--json", "--config", str(file)).output)["limits"]["tags_page"] == 5


def test_a_package_on_top_brings_its_settings() -> None:
    """The context's object names the class."""
    result = CliRunner().invoke(config_group, ["example"], obj=lambda: _Wider)
    assert "colour: blue" in result.output
    assert "colour" in CliRunner().invoke(config_group, ["schema"], obj=lambda: _Wider).output
