"""Pinning: the same configuration, naming its image by digest; and without its secrets."""

from datetime import date
from typing import Any

import pytest

from policy.gateway.inference_config.interpret import interpret, or_default
from policy.gateway.inference_config.pinning import pin
from policy.gateway.inference_config.secrets import without_secrets

TAGGED, PINNED = "h:1/team/app:v1", "h:1/team/app@sha256:" + "a" * 64
LOGIN = {"address": "h:1", "username": "u", "password": "hunter2"}
FORMS: list[dict[str, Any]] = [
    {"entryScript": "score.py", "runtime": "python", "baseImage": TAGGED, "baseImageRegistry": None},
    {"entryScript": "score.py", "environment": {"docker": {"baseImage": TAGGED, "baseImageRegistry": LOGIN}}},
    {"name": "e", "docker": {"baseImage": TAGGED, "enabled": True}},
    {"name": "e", "image": TAGGED, "conda_file": "c.yml"},
    {"environment": {"image": TAGGED}},
    {"entryScript": "score.py", "runtime": "python", "baseImage": TAGGED, "image": TAGGED},
]


@pytest.mark.parametrize("document", FORMS)
def test_every_place_that_names_the_image(document: dict[str, Any]) -> None:
    """And nothing else changes."""
    pinned = pin(document, interpret(document), PINNED)
    assert interpret(pinned).image == PINNED
    assert repr(pinned).replace(PINNED, TAGGED) == repr(document)


@pytest.mark.parametrize("document", [{"entryScript": "a.py"}, {"entryScript": "a.py", "environment": {"name": "e"}}])
def test_one_that_names_none(document: dict[str, Any]) -> None:
    """The service's default is written where its form has the image."""
    pinned = pin(document, or_default(interpret(document), TAGGED), PINNED)
    assert interpret(pinned).image == PINNED


def test_secrets_are_left_out() -> None:
    """Wherever they stand; what is not set is not hidden."""
    document = {"a": [{"password": "hunter2"}], "keys": {"primaryKey": "k"}, "b": {"password": None, "c": 1}}
    hidden = without_secrets(document)
    assert hidden == {"a": [{"password": "(withheld)"}], "keys": {"primaryKey": "(withheld)"}, "b": document["b"]}


def test_what_json_cannot_hold_becomes_text() -> None:
    """YAML has dates, keys that are numbers, and numbers that are none."""
    assert without_secrets({1: date(2019, 7, 11), "n": float("nan")}) == {"1": "2019-07-11", "n": "nan"}
