"""Commands on a data folder go by the settings of its server, without being told where its settings file is."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from policy.settings import Settings
from registry.config.sources import load
from registry.server.settings_in_use import FILE, record, recorded
from tests.server_process import serving

IMMUTABLE = {"immutable_tags": [{"repositories": ["team/*"], "tags": ["v1"]}]}


def settings(folder: Path, **more: Any) -> Settings:
    """Of a settings file."""
    file = folder / "settings.yaml"
    file.write_text(json.dumps(more))
    return load(Settings, file, {"data": folder / "data"}, {})


def kept(folder: Path) -> Settings:
    """Those that a command finds in the data folder."""
    return load(Settings, recorded(folder / "data"), {"data": folder / "data"}, {})


def show(data: Path, *arguments: str) -> Result:
    """`basegate config show` for a data folder."""
    return CliRunner().invoke(basegate, ["config", "show", *arguments], env={"BASEGATE_DATA": str(data)})


@pytest.mark.parametrize(
    "group",
    [
        IMMUTABLE,
        {"quotas": [{"repositories": ["*"], "bytes": 2_000}]},
        {"gc": {"grace_seconds": 17}, "log": {"level": "error"}},
        {"policy": {"bindings": [{"repositories": "team/*", "mode": "warn"}], "wait_seconds": 2.5}},
    ],
    ids=lambda group: next(iter(group)),
)
def test_settings_are_found_as_they_were(tmp_path: Path, group: dict[str, Any]) -> None:
    """Whatever their form."""
    (tmp_path / "data").mkdir()
    wanted = settings(tmp_path, **group)
    record(wanted)
    assert kept(tmp_path) == wanted


def test_paths_count_from_where_the_server_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not from where a command is called."""
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    record(settings(tmp_path, policy={"folder": "lab"}))
    assert kept(tmp_path).policy.folder == tmp_path / "lab"


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """As everything in the folder is."""
    (tmp_path / "data").mkdir()
    record(settings(tmp_path))
    assert (tmp_path / "data" / FILE).stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_is_no_reason_not_to_serve(tmp_path: Path) -> None:
    """A log line, and commands that need `--config`."""
    record(settings(tmp_path))
    assert recorded(tmp_path / "data") is None


def test_a_server_leaves_its_settings_and_follows_a_reload(tmp_path: Path) -> None:
    """A tag that is immutable for the server is so for a command."""
    data, file = tmp_path / "data", tmp_path / "settings.yaml"
    file.write_text("{}")
    with serving(data, "--config", str(file), BASEGATE_LOG__LEVEL="warning") as server:
        assert server.host
        before = show(data).output
        file.write_text(json.dumps(IMMUTABLE))
        server.reload()
        server.logged("settings reloaded")
        after = show(data).output
    assert ("[v1]" in before, "[v1]" in after) == (False, True)


def test_a_named_settings_file_counts_instead(tmp_path: Path) -> None:
    """Whoever names one means it."""
    data = tmp_path / "data"
    data.mkdir()
    record(settings(tmp_path, **IMMUTABLE))
    other = tmp_path / "other.yaml"
    other.write_text("{}")
    assert "[v1]" not in show(data, "--config", os.fspath(other)).output
