"""Starting: how long until the first answer, and what is resident then, on an empty folder and on an old one."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.measures import cpu_seconds, resident_memory
from tests.bench.servers import Server

SETTLED = 1.0
"""Seconds after the first answer when idle memory is read."""

FIRST_ANSWER, IDLE = 1.0, 100.0
"""Goals of ours: seconds and MiB."""


def measure_starts(servers: Sequence[Server], rounds: int, folder: Path) -> list[Figure]:
    """Start each server on an empty folder, and again on what it left there; medians of interleaved rounds."""
    seen: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for number in range(rounds):
        for server in servers:
            place = folder / f"start-{server.name}-{number}"
            place.mkdir(parents=True)
            for state in ("an empty folder", "an existing folder"):
                seen.setdefault((state, server.name), []).append(started(server, place))
    return [
        figure
        for (state, name), found in seen.items()
        for figure in (
            _figure(f"start on {state} to first answer", name, [one[0] for one in found], "s", FIRST_ANSWER),
            _figure(f"processor time of a start on {state}", name, [one[1] for one in found], "s"),
            _figure(f"idle memory after a start on {state}", name, [one[2] for one in found], "MiB", IDLE),
        )
    ]


def started(server: Server, folder: Path) -> tuple[float, float, float]:
    """One start and stop: seconds to the first answer; processor seconds and MiB resident a moment later."""
    running = server.boot(folder, "open")
    try:
        time.sleep(SETTLED)
        return running.cold, cpu_seconds(running.process.pid), resident_memory(running.process.pid) / (1 << 20)
    finally:
        running.stop()


def _figure(name: str, server: str, values: Sequence[float], unit: str, limit: float = 0.0) -> Figure:
    return Figure(name, server, statistics.median(values), unit, limit if server == "basegate" else 0.0)
