"""What every test may rely on: the built programs on PATH, and a skip that is loud, and a failure in CI."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.postgres import PostgresServer

TOOLS = Path(__file__).parent.parent / ".tools" / "bin"


@pytest.fixture(scope="session")
def postgres() -> "Iterator[PostgresServer]":
    """A PostgreSQL server for all tests of a process; each makes itself a database."""
    from tests.postgres import postgres_server  # noqa: PLC0415 - few tests need the driver

    with postgres_server() as server:
        yield server


def pytest_configure(config: pytest.Config) -> None:
    """Put the programs that `make tools` built on PATH, for a run that was not started through make."""
    _ = config
    if str(TOOLS) not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([str(TOOLS), os.environ["PATH"]])


def missing(reason: str) -> None:
    """Skip this test because the machine lacks something; where CI=true the machine was to have it, so fail."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(
            f"{reason} (a skip is a failure where CI=true; `make tools` installs what is needed)", pytrace=False
        )
    pytest.skip(reason)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Honour the markers client(name) and root."""
    for marker in item.iter_markers("client"):
        for program in marker.args:
            if shutil.which(str(program)) is None:
                missing(f"{program} is not installed")
    if item.get_closest_marker("root") is not None and os.geteuid() != 0:
        missing("needs root")
