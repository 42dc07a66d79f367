"""The bar of long work: on a terminal, and nowhere else."""

import os
import pty
import sys

import pytest

from registry.cli.progress import ProgressBar
from tests.registry.cli.terminal import all_of


def test_a_terminal_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """On standard error."""
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with ProgressBar() as bar:
            bar.tell("files", 3, 9)
            bar.tell("files", 7, 9)
    assert "7 files" in all_of(ours)


def test_nobody_else_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe stays clean."""
    with ProgressBar() as bar:
        bar.tell("files", 3, 9)
    assert capsys.readouterr() == ("", "")
