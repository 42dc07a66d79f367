"""The load generator's own process: a job on stdin, "ready", a line to start, the result on stdout.

A steady job says "going" when it has begun, and goes on until another line comes.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from tests.bench import loop, steady
from tests.bench.flows import FLOWS, Job, Operation
from tests.bench.lanes import open_lanes
from tests.bench.questions import QUESTIONS
from tests.bench.wire import Connection, Target


@dataclass(frozen=True, slots=True)
class Load:
    """What a generator measured.

    Attributes:
        seconds: from the first request to the last answer.
        spent: seconds of every operation.
        moved: bytes of content.
        own_cpu: CPU seconds the generator itself used.
    """

    seconds: float
    spent: list[float]
    moved: int
    own_cpu: float


def main() -> None:
    """Do one job."""
    raw = json.loads(sys.stdin.readline())
    reader = Target(**raw["reader"]) if raw["reader"] else None
    job = Job(**(raw | {"target": Target(**raw["target"]), "reader": reader}))
    run = _ask(job) if job.flow in QUESTIONS else _flow(job)
    print("ready", flush=True)  # noqa: T201 - the parent reads it
    sys.stdin.readline()
    print(json.dumps(asdict(_clocked(run))), flush=True)  # noqa: T201


def _clocked(run: Callable[[], tuple[list[float], int]]) -> Load:
    cpu, start = time.process_time(), time.perf_counter()
    spent, moved = run()
    return Load(time.perf_counter() - start, spent, moved, time.process_time() - cpu)


def _ask(job: Job) -> Callable[[], tuple[list[float], int]]:
    lanes, request = open_lanes(job)
    if not job.rate:
        return lambda: (loop.ask(lanes, request, job.seconds), 0)

    def run() -> tuple[list[float], int]:
        print("going", flush=True)  # noqa: T201
        return steady.ask(lanes, request, job.rate, sys.stdin.fileno()), 0

    return run


def _flow(job: Job) -> Callable[[], tuple[list[float], int]]:
    wires = [Connection(job.target) for _ in range(job.clients)]
    lanes = [list(FLOWS[job.flow](wire, job, client)) for client, wire in enumerate(wires)]
    return lambda: _together(lanes)


def _together(lanes: list[list[Operation]]) -> tuple[list[float], int]:
    done: list[tuple[float, int]] = []
    failed: list[Exception] = []

    def client(operations: list[Operation]) -> None:
        try:
            for operation in operations:
                start = time.perf_counter()
                moved = operation()
                done.append((time.perf_counter() - start, moved))
        except Exception as error:  # noqa: BLE001 - told to the main thread, which fails the run
            failed.append(error)

    threads = [threading.Thread(target=client, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return [spent for spent, _ in done], sum(moved for _, moved in done)


if __name__ == "__main__":
    main()
