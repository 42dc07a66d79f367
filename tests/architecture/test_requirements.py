"""The pinned lists fit each other: an image is built with one of them, and nothing else."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    """Versions by package."""
    return dict(_PIN.findall((ROOT / name).read_text(encoding="utf-8")))


def test_nodes_have_all_that_one_machine_has() -> None:
    """In the same versions; what builds the package is among it."""
    alone = pins("requirements.txt")
    assert alone.items() <= pins("requirements-cluster.txt").items()
    assert "setuptools" in alone


@pytest.mark.parametrize("name", ["requirements-cluster.txt", "requirements-dev.txt"])
def test_what_is_in_two_lists_is_the_same(name: str) -> None:
    """What is tried is what is installed."""
    alone, other = pins("requirements.txt"), pins(name)
    assert {package: other[package] for package in alone.keys() & other.keys()} == {
        package: alone[package] for package in alone.keys() & other.keys()
    }
