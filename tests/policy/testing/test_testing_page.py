"""docs/testing.md: its tests are run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

from policy.testing.registry import TemporaryRegistry
from tests.architecture.source import ROOT

_PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")


def test_the_page(tmp_path: Path) -> None:
    """Each block of Python is a file of tests, and all of them pass."""
    blocks = re.findall(r"^```python\n(.+?)^```$", _PAGE, re.MULTILINE | re.DOTALL)
    for number, block in enumerate(blocks):
        (tmp_path / f"test_{number}.py").write_text(block)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"{_PAGE.count('def test_')} passed"), done.stdout


def test_what_a_registry_has() -> None:
    """Every member that a test may use is on the page."""
    members = [name for name in dir(TemporaryRegistry) if not name.startswith("_") and name != "url"]
    assert [name for name in members if not re.search(rf"`{name}\b", _PAGE)] == []
