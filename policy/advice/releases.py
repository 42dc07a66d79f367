"""What is known of Conda's releases: which Pythons its packages are there for, and what Miniconda's installers carry.

Sources: conda/conda pull request 10548 (the last release for Python 3.5 was 4.5.11), issues 11096 and 11358 (from 4.11
on the solver refuses Python 3.6 in the base environment), and the release notes of Miniconda.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from policy.rules.versions import VersionRefused, compare_conda, series_of

NEWEST_CONDA: Mapping[str, str] = {"2.7": "4.8.4", "3.5": "4.5.11", "3.6": "4.10.3", "3.7": "23.1.0"}
"""By series of Python: the newest Conda that can live with it in one environment. Others: no such end is known."""
LATER_SERIES = ("3.7", "3.10", "3.12")
"""What to install where a policy takes everything newer as well."""


@dataclass(frozen=True, slots=True)
class Installer:
    """One of Miniconda's installers, and what it puts into a new prefix."""

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
    """`3.6` of `3.6.8`; "" when it is no version."""
    try:
        first, second = series_of(version)
    except VersionRefused:
        return ""
    return f"{first}.{second}"


def in_order(names: Sequence[str]) -> list[str]:
    """Series, each once, in the order given."""
    return list(dict.fromkeys(names))
