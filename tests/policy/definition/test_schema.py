"""The JSON schema of policy files: the one in config/ is current, and says what the loader says."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from policy.definition.policy import PolicyRefused, parse_policy
from policy.definition.schema import policy_schema

FOLDER = Path("config/policy")
GOOD: dict[str, Any] = {
    "name": "lab",
    "title": "A lab's own",
    "source": {"document": "Notes", "date": "2026-01-01"},
    "rules": [{"rule": "python-version", "series": ["3.6"]}],
}


def is_valid(content: Any) -> bool:
    """Whether the schema accepts it."""
    return not list(jsonschema.Draft202012Validator(policy_schema()).iter_errors(content))


def is_loaded(content: Any) -> bool:
    """Whether the loader accepts it."""
    try:
        parse_policy(content, "test")
    except PolicyRefused:
        return False
    return True


def test_the_file_is_current() -> None:
    """The committed schema is the one the models give."""
    assert json.loads((FOLDER / "policy.schema.json").read_text(encoding="utf-8")) == policy_schema()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_policies_follow_it(path: Path) -> None:
    """Every shipped file is valid."""
    assert is_valid(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"platforms": [{"os": "linux", "architecture": "amd64"}]},
        {"artifacts": "refused"},
        {"rules": [{"rule": "os-version", "id": "ubuntu", "minimum": "16.04", "soft": True}]},
        {"rules": []},
        {"rules": [{"rule": "none"}]},
        {"rules": [{"rule": "conda-version"}]},
        {"rules": [{"rule": "conda-version", "minimum": 4.5}]},
        {"rules": [{"rule": "conda-version", "minimum": "4.5", "more": 1}]},
        {"platforms": []},
        {"artifacts": "cleared"},
        {"name": "Has Spaces"},
        {"surplus": 1},
        {"source": {"document": "Notes", "date": "yesterday"}},
    ],
)
def test_schema_and_loader_agree(change: dict[str, Any]) -> None:
    """What an editor marks as wrong is what the server refuses."""
    assert is_valid(GOOD | change) is is_loaded(GOOD | change)
