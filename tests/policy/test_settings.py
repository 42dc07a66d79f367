"""The settings of the whole program: described, spelt, and read from the environment."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from policy.cli.main import basegate
from policy.settings import Settings
from registry.config.example import example, schema
from registry.config.sources import SettingsError, load


def test_the_defaults_fit_the_schema() -> None:
    """Editors accept the example."""
    jsonschema.validate(yaml.safe_load(example(Settings())), json.loads(schema(Settings)))


def _fields(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    groups = {"": document, **document["$defs"]}
    named = {name: group for name, group in groups.items() if "properties" in group}
    return [(f"{name}.{key}", field) for name, group in named.items() for key, field in group["properties"].items()]


@pytest.mark.parametrize(("name", "field"), _fields(Settings.model_json_schema()))
def test_every_setting_is_described(name: str, field: dict[str, Any]) -> None:
    """No setting is without a sentence; a group has its docstring."""
    assert field.get("description") or "$ref" in field or "allOf" in field, name


def test_lists_of_the_environment() -> None:
    """Words may be separated by commas."""
    found = load(Settings, None, {}, {"BASEGATE_GATEWAY__HOSTS": "a.example, b.example:5000"})
    assert found.gateway.hosts == ("a.example", "b.example:5000")


def test_an_unknown_key_of_the_policy(tmp_path: Path) -> None:
    """A slip of the pen is pointed out with the nearest key."""
    (tmp_path / "b.yaml").write_text("policy: {moode: warn}")
    with pytest.raises(SettingsError, match=r"did you mean policy\.mode"):
        load(Settings, tmp_path / "b.yaml", {}, {})


@pytest.mark.parametrize(
    ("policy", "said"),
    [("name: azureml-1999", "there is no policy 'azureml-1999'"), ("folder: .", "other.yaml cannot be used")],
)
def test_config_check_looks_for_the_policies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, said: str
) -> None:
    """A file that names a policy which is not there or is broken would keep a server from starting."""
    monkeypatch.chdir(tmp_path)
    Path("other.yaml").write_text("{rules: []}")
    file = tmp_path / "settings" / "b.yaml"
    file.parent.mkdir()
    file.write_text(f"policy: {{{policy}}}")
    result = CliRunner().invoke(basegate, ["config", "check", str(file)])
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert said in result.output


@pytest.mark.parametrize(
    ("text", "names"), [("registry.example:5000", ()), ('{"hosts": ["a.example"]}', ("a.example",))]
)
def test_the_gateway_to_ask_is_no_setting(text: str, names: tuple[str, ...]) -> None:
    """`BASEGATE_GATEWAY` is a flag of `check` when it is an address, and the group of settings when it is a mapping."""
    assert tuple(load(Settings, None, {}, {"BASEGATE_GATEWAY": text}).gateway.hosts) == names
