"""Runs: one of a kind at a time, remembered for a while, cancelled with the server."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from registry.administration.runs import Run, Runs
from registry.config.administration import AdministrationSettings
from registry.content.progress import Tell
from registry.errors import BasegateError
from registry.oci.errors import NotFound, TooManyRequests

Work = Callable[[Tell], Awaitable[Any]]


async def quick(tell: Tell) -> str:
    """Work that is done at once."""
    tell("things", 2, 3)
    return "all"


async def endless(_tell: Tell) -> None:
    """Work that does not end."""
    await asyncio.Event().wait()


async def broken(_tell: Tell) -> None:
    """Work that fails as programs do."""
    raise ValueError("a secret of the program")


async def refused(_tell: Tell) -> None:
    """Work that fails as people are told."""
    raise BasegateError("there is nothing to do")


async def ended(runs: Runs, work: Work) -> dict[str, Any]:
    """A run of the work, at its end."""
    run = runs.begin("test.work", "ann", work)
    await runs.wait(run, 10)
    return shown(run)


def shown(run: Run) -> dict[str, Any]:
    """As it is told."""
    document: dict[str, Any] = json.loads(run.as_json())
    return document


def keeping(kept: int, length: int = 1000) -> Runs:
    """Runs of which so many are kept, with results of that length together."""
    settings = AdministrationSettings(runs_kept=kept, results_bytes=length)
    return Runs(lambda: settings)


def test_what_came_of_it() -> None:
    """Its result, who began it, and how far it has come."""
    run = asyncio.run(ended(keeping(5), quick))
    assert (run["state"], run["by"], run["result"]) == ("done", "ann", "all")
    assert run["progress"] == {"counting": "things", "done": 2, "total": 3}


def test_why_it_failed() -> None:
    """In words for people; what only programmers understand stays in the log."""
    told = [asyncio.run(ended(keeping(5), work)) for work in (refused, broken)]
    assert [run["state"] for run in told] == ["failed", "failed"]
    assert told[0]["error"] == "there is nothing to do"
    assert "secret" not in told[1]["error"]


def test_one_of_a_kind() -> None:
    """The second is refused, and told which is running; another kind may begin."""

    async def twice() -> TooManyRequests:
        runs = keeping(5)
        first = runs.begin("a", "ann", endless)
        runs.begin("b", "ann", endless)
        with pytest.raises(TooManyRequests) as refusal:
            runs.begin("a", "bob", endless)
        assert refusal.value.detail == {"run": first.id}
        return refusal.value

    assert "ann" in asyncio.run(twice()).message


def test_the_oldest_are_forgotten() -> None:
    """Of those that have ended; one that runs is not."""

    async def many() -> None:
        runs = keeping(2)
        running = runs.begin("endless", "ann", endless)
        first = await ended(runs, quick)
        await ended(runs, quick)
        assert runs.find(running.id).state == "running"
        with pytest.raises(NotFound):
            runs.find(first["run"])

    asyncio.run(many())


def test_long_results_are_let_go_of() -> None:
    """The oldest first; the newest stays, however long it is."""

    async def two() -> list[Any]:
        runs = keeping(5, 1)
        first = await ended(runs, quick)
        second = await ended(runs, quick)
        return [shown(runs.find(each["run"]))["result"] for each in (first, second)]

    assert asyncio.run(two()) == [None, "all"]


def test_the_end_of_the_server() -> None:
    """Ends what runs."""

    async def ending() -> str:
        runs = keeping(2)
        work = asyncio.ensure_future(runs.until_end())
        run = runs.begin("endless", "ann", endless)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        return run.state

    assert asyncio.run(ending()) == "failed"
