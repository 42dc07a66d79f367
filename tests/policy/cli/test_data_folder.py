"""Where a command finds its data folder, and what it does when there is no registry, or one it does not know."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.metadata.open_store import FILE_NAME, open_metadata
from tests.policy.cli.folder_commands import folder_commands

COMMANDS = folder_commands()


@pytest.fixture(name="places")
def _places(tmp_path: Path) -> dict[str, Path]:
    """Three registries with a repository's name of their own, and a settings file that names the last."""
    for name in ("flag", "environment", "settings"):
        open_metadata(tmp_path / name).close()
    (tmp_path / "basegate.yaml").write_text(f"data: {tmp_path / 'settings'}")
    return {name: tmp_path / name for name in ("flag", "environment", "settings", "basegate.yaml")}


def made_in(places: dict[str, Path], *words: str, **environment: str) -> list[str]:
    """Make a principal, and say in which of the folders it is."""
    command = ["principal", "create", "ci", "--role", "Owner", *words]
    result = CliRunner().invoke(basegate, command, env=environment)
    assert result.exit_code == 0, result.output
    found = []
    for name in ("flag", "environment", "settings"):
        with closing(sqlite3.connect(places[name] / FILE_NAME)) as rows:
            found += [name] * rows.execute("SELECT count(*) FROM principals").fetchone()[0]
    return found


def test_the_settings_file_names_the_folder(places: dict[str, Path]) -> None:
    """For every command, as for `serve`."""
    assert made_in(places, "--config", str(places["basegate.yaml"])) == ["settings"]


def test_the_environment_names_the_settings_file(places: dict[str, Path]) -> None:
    """So does BASEGATE_CONFIG."""
    assert made_in(places, BASEGATE_CONFIG=str(places["basegate.yaml"])) == ["settings"]


def test_the_environment_goes_before_the_file(places: dict[str, Path]) -> None:
    """BASEGATE_DATA is the setting `data`."""
    environment = str(places["environment"])
    assert made_in(places, "--config", str(places["basegate.yaml"]), BASEGATE_DATA=environment) == ["environment"]


def test_the_flag_goes_before_all(places: dict[str, Path]) -> None:
    """--data is what a person has just written."""
    words = ("--data", str(places["flag"]), "--config", str(places["basegate.yaml"]))
    assert made_in(places, *words, BASEGATE_DATA=str(places["environment"])) == ["flag"]


def test_a_flag_of_a_group_is_that_of_its_command(places: dict[str, Path]) -> None:
    """`gc --data D run` works on D."""
    (places["flag"] / FILE_NAME).unlink()
    result = CliRunner().invoke(basegate, ["gc", "--data", str(places["flag"]), "run"])
    assert f"there is no registry in {places['flag']}" in result.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_makes_a_registry(tmp_path: Path, command: list[str]) -> None:
    """Nor anything else in a folder that is none; it says what to do."""
    (tmp_path / "docs").mkdir()
    result = CliRunner().invoke(basegate, [*command, "--data", str(tmp_path / "docs")])
    assert (result.exit_code, result.stderr.count("\n"), list((tmp_path / "docs").iterdir())) == (2, 1, []), result
    assert "basegate init" in result.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_makes_the_folder(tmp_path: Path, command: list[str]) -> None:
    """A mistyped --data stays one."""
    result = CliRunner().invoke(basegate, [*command, "--data", str(tmp_path / "typo")])
    assert (result.exit_code, (tmp_path / "typo").exists()) == (2, False), result.output


@pytest.fixture(scope="module", name="newer")
def _newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a later basegate has written."""
    data = tmp_path_factory.mktemp("newer") / "data"
    open_metadata(data).close()
    with closing(sqlite3.connect(data / FILE_NAME)) as rows:
        rows.execute("UPDATE alembic_version SET version_num = '9999'")
        rows.commit()
    return data


@pytest.mark.parametrize("command", [*COMMANDS, ["serve"], ["init"]], ids=" ".join)
def test_a_folder_of_a_newer_basegate(newer: Path, tmp_path: Path, command: list[str]) -> None:
    """One line, and no traceback, in every command."""
    command = [str(tmp_path / word) if word == "kept" else word for word in command]
    result: Result = CliRunner().invoke(basegate, [*command, "--data", str(newer)])
    assert (result.exit_code, result.stderr.count("\n"), "Traceback" in result.output) == (2, 1, False), result.output
    assert "PYTHONDEVMODE" not in result.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_folder_of_a_newer_basegate_stays_as_it_is(newer: Path, command: list[str]) -> None:
    """No file is made in it, the audit log neither."""
    before = set(newer.iterdir())
    CliRunner().invoke(basegate, [*command, "--data", str(newer)])
    assert {path for path in newer.iterdir() if not path.name.startswith("registry.db-")} <= before


def test_a_newer_layout_of_files(tmp_path: Path) -> None:
    """It is told in the same way."""
    open_metadata(tmp_path).close()
    (tmp_path / "layout").write_text("basegate storage 9\n")
    result = CliRunner().invoke(basegate, ["gc", "run", "--data", str(tmp_path)])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "has storage layout" in result.stderr


def test_rows_that_are_lost_are_no_empty_folder(tmp_path: Path) -> None:
    """Content without its database: the way out is not to make a new registry."""
    (tmp_path / "blobs" / "sha256" / "00").mkdir(parents=True)
    (tmp_path / "blobs" / "sha256" / "00" / ("0" * 64)).touch()
    result = CliRunner().invoke(basegate, ["principal", "list", "--data", str(tmp_path)])
    assert (result.exit_code, "basegate rebuild" in result.stderr) == (2, True)
