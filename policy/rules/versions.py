"""Versions in order: plain numbers for operating systems, Conda's own order for Conda and Python.

Conda's order (conda documentation, "Version ordering"): `[epoch!]version[+local]`, components split at `.` and `_`,
each component into runs of digits and letters; numbers compare as numbers, letters sort before numbers, `dev` before
all, `post` after all; a missing part counts as 0. So 4.10 > 4.5, 4.5.0rc1 < 4.5 and 4.5 = 4.5.0.
"""

import re
from itertools import zip_longest

_PLAIN = re.compile(r"\d{1,18}(?:\.\d{1,18})*", re.ASCII)
_CONDA = re.compile(r"[a-z0-9_.+!-]{1,128}", re.ASCII)
_RUNS = re.compile(r"\d+|[a-z*]+", re.ASCII)

_Part = tuple[int, int, str]
_ZERO: _Part = (2, 0, "")


class VersionRefused(ValueError):
    """The text is not a version; the message says why."""


def plain_version(text: str) -> tuple[int, ...]:
    """A version as numbers, zeros at its end left out: `16.04` -> (16, 4), `12` and `12.0` -> (12,).

    Tuples compare as versions do; one number is a version as good as any: Debian 12, Fedora 43, 20230201.

    Raises:
        VersionRefused: neither a number nor numbers joined by dots.
    """
    if not _PLAIN.fullmatch(text):
        raise VersionRefused(f"{text[:64]!r} is not a version: needs a number, or numbers joined by dots")
    numbers = [int(part) for part in text.split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def series_of(text: str) -> tuple[int, int]:
    """The series a Python version belongs to: `3.10.2` -> (3, 10), `3.6.0rc1+` -> (3, 6).

    Raises:
        VersionRefused: does not begin with two numbers.
    """
    match = re.match(r"(\d{1,9})\.(\d{1,9})(?![0-9])", text, re.ASCII)
    if not match:
        raise VersionRefused(f"{text[:64]!r} is not a version of Python: needs two numbers at its start, such as 3.6")
    return int(match[1]), int(match[2])


def compare_conda(first: str, second: str) -> int:
    """Negative, 0 or positive as `first` is older than, the same as or newer than `second`.

    Raises:
        VersionRefused: one of them is empty, too long, or has characters or an epoch that Conda does not know.
    """
    return _compare_epochs(_read(first), _read(second))


_Components = list[list[_Part]]


def _read(text: str) -> tuple[int, _Components, _Components]:
    lowered = text.strip().lower().rstrip("+")
    if not _CONDA.fullmatch(lowered) or not any(character.isdigit() for character in lowered):
        raise VersionRefused(f"{text[:64]!r} is not a version: needs numbers joined by dots, such as 4.5.12")
    epoch, _, rest = lowered.rpartition("!")
    if epoch and not epoch.isdigit():
        raise VersionRefused(f"{text[:64]!r} is not a version: its epoch {epoch!r} is not a number")
    release, _, local = rest.partition("+")
    return int(epoch or "0"), _components(release), _components(local) if local else []


def _part(run: str) -> _Part:
    if run.isdigit():
        return 2, int(run), ""
    if run == "post":
        return 3, 0, ""
    return (0, 0, "") if run == "dev" else (1, 0, run)


def _components(text: str) -> _Components:
    components = []
    for component in re.split(r"[._-]", text):
        parts = [_part(run) for run in _RUNS.findall(component)] or [_ZERO]
        # A component that begins with letters is read as if a 0 stood before it: 1.1.a1 = 1.1.0a1 (Conda does so).
        components.append(parts if component[:1].isdigit() or parts == [_ZERO] else [_ZERO, *parts])
    return components


def _compare_components(first: _Components, second: _Components) -> int:
    for left, right in zip_longest(first, second, fillvalue=[_ZERO]):
        for one, other in zip_longest(left, right, fillvalue=_ZERO):
            if one != other:
                return -1 if one < other else 1
    return 0


def _compare_epochs(first: tuple[int, _Components, _Components], second: tuple[int, _Components, _Components]) -> int:
    if first[0] != second[0]:
        return first[0] - second[0]
    return _compare_components(first[1], second[1]) or _compare_components(first[2], second[2])
