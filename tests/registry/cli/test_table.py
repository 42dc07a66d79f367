"""Lists for people: columns, digests in short, ages, and text that cannot steer a terminal."""

import os
import pty
import sys

import pytest

from registry.cli.table import age, print_table, short
from registry.errors import visible
from tests.registry.cli.terminal import all_of

DIGEST = "sha256:" + "ab" * 32
ROWS = [("v1", DIGEST), ("a-longer-name", DIGEST)]


def test_columns_stand_below_their_headings(capsys: pytest.CaptureFixture[str]) -> None:
    """Whole digests, where no terminal is too narrow for them."""
    print_table(("TAG", "DIGEST"), ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert [line.index(word) for line, word in zip(lines, ("DIGEST", DIGEST, DIGEST), strict=True)] == [15, 15, 15]


def test_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """The headings alone."""
    print_table(("TAG", "DIGEST"), [])
    assert capsys.readouterr().out == "TAG  DIGEST\n"


@pytest.mark.parametrize(("columns", "is_short"), [("60", True), ("200", False)])
def test_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: str, *, is_short: bool) -> None:
    """Digests are shortened when COLUMNS is too narrow for them."""
    ours, theirs = pty.openpty()
    monkeypatch.setenv("COLUMNS", columns)
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        print_table(("TAG", "DIGEST"), ROWS)
    told = all_of(ours)
    assert (DIGEST not in told, "sha256:abababababab…" in told) == (is_short, is_short)


def test_a_digest_in_short() -> None:
    """Twelve digits, wherever it stands."""
    assert short(f"team/app@{DIGEST}, {DIGEST}") == "team/app@sha256:abababababab…, sha256:abababababab…"


def test_text_that_steers_a_terminal() -> None:
    """Is shown, not obeyed."""
    assert visible("a\x1b[2J\nb") == "a\\x1b[2J\\x0ab"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7_200, "2 h"), (200_000, "2 d"), (-5, "0 s")]
)
def test_an_age(seconds: int, words: str) -> None:
    """In the largest unit that fits; what is to come has none."""
    assert age("1970-01-01T00:00:00Z", float(seconds)) == words
