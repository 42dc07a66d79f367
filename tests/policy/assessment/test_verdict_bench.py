"""The verdict bench runs, so that it cannot rot."""

import subprocess
import sys


def test_a_small_run() -> None:
    """A few pushes and images; both figures are printed."""
    command = [sys.executable, "-m", "tests.bench.verdicts", "--pushes", "2", "--members", "50", "--images", "300"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "last byte to 201, 2 pushes: median" in done.stdout
    assert "300 images judged again" in done.stdout
