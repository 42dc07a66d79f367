"""Each verdict is a line of the log."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from registry.config.settings import LogSettings
from registry.telemetry import logs
from tests.policy.images_made import bad, good
from tests.policy.lab import TEAM, V1, Lab, open_lab


@pytest.fixture(name="lab")
def _lab(tmp_path: Path) -> Iterator[Lab]:
    """A registry that enforces the default policy, and logs what is of interest."""
    logs.configure(LogSettings())
    with open_lab(tmp_path / "data") as opened:
        yield opened


def verdicts(said: list[EventDict]) -> list[EventDict]:
    """The lines that tell of verdicts."""
    return [line for line in said if line["event"] == "verdict"]


def test_a_push_brings_a_line(lab: Lab) -> None:
    """What was judged, by which policy, and how it came out."""
    with capture_logs() as said:
        lab.pushed(good())
    (line,) = verdicts(said)
    assert (line["repository"], line["digest"], line["verdict"]) == (TEAM, good().digest, "cleared")
    assert (line["policy"], line["log_level"]) == ("azureml-2019-07", "info")


def test_a_refusal_says_why(lab: Lab) -> None:
    """The first reason."""
    with capture_logs() as said:
        lab.pushed(bad())
    (line,) = verdicts(said)
    assert (line["verdict"], line["reason"].startswith("Python 3.7.0 found")) == ("refused", True)


def test_a_question_brings_no_further_line(lab: Lab) -> None:
    """The verdict is the same."""
    lab.pushed(good())
    with capture_logs() as said:
        lab.verdict(good().digest)
        lab.pushed(good(), V1)
    assert verdicts(said) == []
