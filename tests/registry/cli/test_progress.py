"""The bar of long work: on a terminal, and nowhere else."""

import os
import pty
import sys

import pytest

from registry.cli.progress import ProgressBar


def test_a_terminal_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """On standard error."""
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with ProgressBar() as bar:
            bar.tell("files", 3, 9)
            bar.tell("files", 7, 9)
        terminal.flush()
        told = os.read(ours, 65536).decode()
    os.close(ours)
    assert "7 files" in told


def test_nobody_else_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe stays clean."""
    with ProgressBar() as bar:
        bar.tell("files", 3, 9)
    assert capsys.readouterr() == ("", "")
