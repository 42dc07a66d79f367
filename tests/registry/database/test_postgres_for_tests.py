"""The PostgreSQL that tests start leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

from tests.postgres import postgres_server
from tests.waiting import wait_until


def hold() -> None:
    """Start a server, say where, and wait to be killed."""
    with postgres_server() as server:
        print(server.folder, flush=True)  # noqa: T201
        sys.stdin.read()


def test_it_ends_with_tests_that_are_killed() -> None:
    """Its processes, which would be there until the machine ends."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        running = Path(tests.stdout.readline().strip()) / "data" / "postmaster.pid"
        assert running.is_file()
        tests.kill()
    wait_until(lambda: not running.exists())


if __name__ == "__main__":
    hold()
