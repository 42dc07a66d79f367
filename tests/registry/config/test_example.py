"""The example file and the schema say what the settings are."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from registry.config.example import example, schema
from registry.config.settings import RegistrySettings
from registry.config.sources import load


def test_example_equals_the_defaults(tmp_path: Path) -> None:
    """Loading the example changes nothing."""
    file = tmp_path / "basegate.yaml"
    file.write_text(example(RegistrySettings()), encoding="utf-8")
    assert load(RegistrySettings, file, {}, {}) == RegistrySettings()


def test_example_fits_the_schema() -> None:
    """The schema accepts the example."""
    jsonschema.validate(yaml.safe_load(example(RegistrySettings())), json.loads(schema(RegistrySettings)))


def test_schema_refuses_unknown_keys() -> None:
    """An editor can point at a misspelt key."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"limits": {"tag_page": 1}}, json.loads(schema(RegistrySettings)))


def _fields(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    groups = {"": document, **document["$defs"]}
    return [(f"{group}.{name}", field) for group in groups for name, field in groups[group]["properties"].items()]


@pytest.mark.parametrize(("name", "field"), _fields(RegistrySettings.model_json_schema()))
def test_every_setting_is_described(name: str, field: dict[str, Any]) -> None:
    """No setting is without a sentence; a group has its docstring."""
    assert field.get("description") or "$ref" in field or "allOf" in field, name
