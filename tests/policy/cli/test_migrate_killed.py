"""A migration that is killed: it goes on when it is run again, and nobody serves what is between two places."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from registry.metadata.elsewhere import MIGRATION
from tests.policy.cli.migrations import Home
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import moto

STEPS = (25, 41)
"""Before the commit of the database, and in the middle of the switch; `make test-cluster` has all."""
OUTSIDE = ("storage", "metadata")


def killed(home: Home, step: int, *, back: bool) -> bool:
    """Move until a step, and be killed; whether it came so far."""
    command = [sys.executable, "-m", "tests.policy.cli.killed_at", str(step), str(home.data), *home.words(back=back)]
    done = subprocess.run(command, env=os.environ | home.variables, capture_output=True, text=True, check=False)
    assert done.returncode in {-9, 0}, done.stderr
    return done.returncode == -9


def works(home: Home, *outside: str) -> bool:
    """Whether all is there and whole."""
    done = [home.on_folder(command, *outside) for command in ("tag ls team/app", "verify --digests")]
    return all(each.exit_code == 0 for each in done) and "v1" in done[0].stdout


def goes_on(home: Home, step: int) -> None:
    """There, and back: after the kill it works in one place or in none; after another run where it moves."""
    for back in (False, True):
        killed(home, step, back=back)
        places = [works(home), works(home, *OUTSIDE)]
        assert places.count(True) == (0 if (home.data / MIGRATION).exists() else 1)
        if places != [back, not back]:
            home.moved(back=back)
        assert works(home, *(() if back else OUTSIDE))


@pytest.mark.parametrize("step", STEPS)
def test_it_goes_on(postgres: PostgresServer, tmp_path: Path, step: int) -> None:
    """From where it was killed."""
    goes_on(Home.beside(tmp_path, moto(), postgres).with_images(), step)
