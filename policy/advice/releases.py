"""Conda's releases: the Python series that each supports, and the contents of Miniconda's installers.

Sources: conda/conda pull request 10548 (the last release for Python 3.5 was 4.5.11), issues 11096 and 11358 (from 4.11
on the solver refuses Python 3.6 in the base environment), and the release notes of Miniconda.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from policy.rules.versions import VersionRefused, compare_conda, series_of

NEWEST_CONDA: Mapping[str, str] = {"2.7": "4.8.4", "3.5": "4.5.11", "3.6": "4.10.3", "3.7": "23.1.0"}
"""By series of Python: the newest Conda that can share its environment. Other series have no known limit."""
LATER_SERIES = ("3.7", "3.10", "3.12")
"""Series to install when a policy accepts every newer one."""


@dataclass(frozen=True, slots=True)
class Installer:
    """A Miniconda installer, and the versions that it installs."""

    name: str
    conda: str
    python: str


INSTALLERS = (
    Installer("Miniconda3-4.5.4", "4.5.4", "3.6.5"),
    Installer("Miniconda3-4.7.12.1", "4.7.12", "3.7.4"),
    Installer("Miniconda3-py39_4.10.3", "4.10.3", "3.9.5"),
)


def can_hold(conda: str, series: str) -> bool:
    """Whether `conda install python=SERIES` can be solved where this Conda is installed."""
    newest = NEWEST_CONDA.get(series)
    try:
        return newest is None or compare_conda(conda, newest) <= 0
    except VersionRefused:
        return False


def series(version: str) -> str:
    """`3.6` of `3.6.8`; "" when the text is not a version."""
    try:
        first, second = series_of(version)
    except VersionRefused:
        return ""
    return f"{first}.{second}"


def in_order(names: Sequence[str]) -> list[str]:
    """The series without duplicates, in the order given."""
    return list(dict.fromkeys(names))
