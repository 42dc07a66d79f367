"""The examples for GitHub's and GitLab's CI are what their schemas allow."""

import json
from importlib.resources import files
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from tests.architecture.source import ROOT

SCHEMAS = files("check_jsonschema.builtin_schemas.vendor")
FOLDER = ROOT / "config" / "ci"
EXAMPLES = [("github-workflow.yaml", "github-workflows.json"), ("gitlab-ci.yml", "gitlab-ci.json")]


def example(name: str) -> dict[str, Any]:
    """One of them. YAML 1.1 takes the key `on` of GitHub for a truth value."""
    document: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in document.items()}


def complaints(document: dict[str, Any], schema: str) -> list[str]:
    """What a schema has to say."""
    validator = Draft7Validator(json.loads(SCHEMAS.joinpath(schema).read_text(encoding="utf-8")))
    return [error.message for error in validator.iter_errors(document)]


@pytest.mark.parametrize(("name", "schema"), EXAMPLES)
def test_an_example_is_what_its_schema_allows(name: str, schema: str) -> None:
    """The schemas are those that editors use."""
    assert complaints(example(name), schema) == []


@pytest.mark.parametrize(("name", "schema"), EXAMPLES)
def test_a_schema_finds_a_service_without_an_image(name: str, schema: str) -> None:
    """So that the test above can fail."""
    document = example(name)
    job = document["jobs"]["image"] if "jobs" in document else document["build-and-check"]
    service, named = (job["services"]["basegate"], "image") if "jobs" in document else (job["services"][0], "name")
    del service[named]
    assert complaints(document, schema) != []


@pytest.mark.parametrize("name", [name for name, _ in EXAMPLES])
def test_an_example_says_that_no_image_is_published(name: str) -> None:
    """Nobody waits for a pull that cannot be."""
    assert "No image of basegate is published." in (FOLDER / name).read_text(encoding="utf-8")
