"""Lists for people: columns below headings, digests in short on a terminal only, ages beside times."""

import re
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import datetime

import click

from registry.errors import visible

_DIGEST = re.compile(r"\b(sha(?:256|512)):([0-9a-f]{12})[0-9a-f]+\b")
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_GAP = "  "


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows below headings. On a terminal too narrow for whole digests, these are shortened."""
    lines = [tuple(headings), *(tuple(visible(cell) for cell in row) for row in rows)]
    if on_terminal() and _width(lines) > shutil.get_terminal_size().columns:
        lines = [tuple(short(cell) for cell in line) for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo(_GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def short(text: str) -> str:
    """The text with its digests cut to twelve digits."""
    return _DIGEST.sub(r"\1:\2…", text)


def on_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def age(moment: str, now: float | None = None) -> str:
    """How long ago a time in ISO 8601 was: `3 d`, `5 h`, `12 min`, `8 s`; "0 s" for what is to come."""
    past = (time.time() if now is None else now) - datetime.fromisoformat(moment).timestamp()
    return next((f"{int(past // seconds)} {unit}" for unit, seconds in _UNITS if past >= seconds), "0 s")


def _width(lines: Sequence[Sequence[str]]) -> int:
    return max(sum(map(len, line)) + len(_GAP) * (len(line) - 1) for line in lines)
