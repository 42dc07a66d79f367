"""Requests to a server that holds much: what is asked, and how long and how large the answers are."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.bench.basegate import Basegate
from tests.bench.figures import Figure
from tests.bench.flows import expect
from tests.bench.measures import cpu_seconds
from tests.bench.rounds import slowest
from tests.bench.servers import Running
from tests.bench.wire import Connection, Target

PAGE_MS = 10.0
"""Goal: milliseconds within which 99 of 100 are answered."""


@dataclass(frozen=True, slots=True)
class Question:
    """One kind of request.

    Attributes:
        name: what a person calls it.
        method: of HTTP.
        paths: an endless supply of paths.
        status: what must be answered.
        limit: milliseconds within which 99 of 100 should be answered.
        largest: bytes that an answer should have at most; 0 where nothing is set.
    """

    name: str
    method: str
    paths: Callable[[], str]
    status: int = 200
    limit: float = PAGE_MS
    largest: int = 0


def asked(
    server: Basegate, running: Running, authorization: str, questions: list[Question], count: int
) -> Iterator[Figure]:
    """Ask each so many times: how long that took, what the server worked for it, and the size of pages."""
    for question in questions:
        before = cpu_seconds(running.process.pid)
        times, sizes = zip(*_answers(Target(running.target.port, authorization), question, count), strict=True)
        spent = sorted(times)
        cpu = (cpu_seconds(running.process.pid) - before) / count * 1000
        p50, p99 = (slowest(spent, percent) * 1000 for percent in (50, 99))
        yield Figure(question.name, server.name, p50, "ms", column="p50")
        yield Figure(question.name, server.name, p99, "ms", question.limit, "p99")
        yield Figure(question.name, server.name, cpu, "ms", column="processor time")
        if question.largest:
            yield Figure(question.name, server.name, max(sizes) / 1000, "kB", question.largest / 1000, "largest")


def _answers(target: Target, question: Question, count: int) -> Iterator[tuple[float, int]]:
    """Seconds and bytes of each."""
    with Connection(target) as wire:
        expect(wire.ask("GET", "/v2/"), 200)
        for _ in range(count):
            path = question.paths()
            began = time.perf_counter()
            answer = wire.ask(question.method, path)
            yield time.perf_counter() - began, expect(answer, question.status).size
