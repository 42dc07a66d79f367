"""Who is waited for: a push, a pull or a check make the workers hurry; catching up does not."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.policy.images_made import (
    base,
    good,
    image,
    layer,
    miniconda,
    noise,
)
from tests.policy.inspection.worker.test_pool import pid_of
from tests.policy.inspection.worker.test_urgency import becomes, niceness
from tests.policy.lab import READER, TEAM, V1, Lab, open_lab

BACK = 9
INSPECTION = {"workers": 1, "nice": BACK}
LARGE = image(layer(base()), layer(miniconda() | {"opt/data": noise(2_000_000)}))


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Lab]:
    """A registry in which an image lies that nobody has looked into, since policy.db was lost."""
    with open_lab(tmp_path / "data") as first:
        first.pushed(LARGE)
    for path in (tmp_path / "data").glob("policy.db*"):
        path.unlink()
    with open_lab(tmp_path / "data", inspection=INSPECTION) as second:
        yield second


def worker(lab: Lab) -> int:
    """The process id of the only worker."""
    return pid_of(lab.gate.inspector.workers)


async def held_behind(lab: Lab) -> "asyncio.Task[None]":
    """Begin to catch up, and stop the worker that reads for it."""
    catching_up = asyncio.create_task(lab.gate.catch_up())
    while not lab.gate.inspector.workers.pids:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.001)
    os.kill(worker(lab), signal.SIGSTOP)
    return catching_up


def test_catching_up_stands_back(behind: Lab) -> None:
    """Nobody waits for it."""
    behind.run(behind.gate.catch_up())
    assert behind.gate.inspector.workers.counters.layers_opened == 2
    assert niceness(worker(behind)) == BACK


def test_a_push_does_not(tmp_path: Path) -> None:
    """Neither for layers that arrive nor for those that are stored already."""
    with open_lab(tmp_path / "data", inspection=INSPECTION) as lab:
        for made in (good(), LARGE):
            lab.pushed(made)
            assert niceness(worker(lab)) == 0


@pytest.mark.parametrize("asks", ["push", "pull", "check"])
def test_whoever_asks_meanwhile_makes_it_hurry(behind: Lab, asks: str) -> None:
    """The layers that are being read in the background are what the caller waits for."""

    async def ask() -> None:
        catching_up = await held_behind(behind)
        stopped, asking = worker(behind), asyncio.create_task(asked(behind, asks))
        hurried = await asyncio.to_thread(becomes, lambda: niceness(worker(behind)) == 0)
        with suppress(ProcessLookupError):
            os.kill(stopped, signal.SIGCONT)
        assert (hurried, await asking) == (True, True)
        await catching_up

    behind.run(ask())


async def asked(lab: Lab, how: str) -> bool:
    """Whether the image is cleared for who pushes it, pulls it or wants to deploy it."""
    if how == "push":
        return (await lab.push_manifest(LARGE.manifest)).warnings == ()
    if how == "pull":
        return (await lab.manifests.pull(READER, TEAM, V1)).digest == LARGE.digest
    return (await lab.gate.standing(READER, TEAM, LARGE.digest)).decision.allowed
