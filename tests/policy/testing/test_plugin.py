"""The plugin in runs of pytest of their own: found by its entry point, light, and one server for each worker."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

_TESTS = """
import os
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(4))
def test_it(basegate_registry, number, request):
    image = basegate_registry.push_image({"it": str(number)})
    assert basegate_registry.verdict(image).verdict == "refused"
    with open(Path(request.config.rootpath, "seen"), "a") as seen:
        seen.write(f"{os.getpid()} {basegate_registry.address} {basegate_registry.prefix}\\n")
"""


def run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """pytest over the tests above."""
    (folder / "test_it.py").write_text(_TESTS)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def seen(folder: Path) -> list[list[str]]:
    """Process, address and prefix of each test."""
    return [line.split() for line in (folder / "seen").read_text().splitlines()]


def test_one_server_and_many_registries(tmp_path: Path) -> None:
    """Tests of one process share the address, and each has a prefix of its own."""
    done = run(tmp_path, "-n", "0")
    assert done.returncode == 0, done.stdout
    assert [len(set(column)) for column in zip(*seen(tmp_path), strict=True)] == [1, 1, 4]


def test_workers_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    """Each process of xdist has a server at an address of its own."""
    done = run(tmp_path, "-n", "2", "--dist", "load")
    assert done.returncode == 0, done.stdout
    assert [len(set(column)) for column in zip(*seen(tmp_path), strict=True)] == [2, 2, 4]


def test_it_can_be_left_out(tmp_path: Path) -> None:
    """By the name of its entry point."""
    assert "fixture 'basegate_registry' not found" in run(tmp_path, "-p", "no:basegate").stdout


@pytest.mark.parametrize("module", ["sqlalchemy", "httpx", "pydantic", "starlette"])
def test_it_costs_runs_that_do_not_use_it_nothing(module: str) -> None:
    """What a server needs is imported with the first fixture."""
    program = f"import sys, policy.testing.plugin; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
