"""Interleaved rounds: every server in turn does the same work, so that a busy machine slows all of them alike."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tests.bench.flows import Job
from tests.bench.generator import Load
from tests.bench.measures import (
    cpu_at_rest,
    cpu_seconds,
    peak_memory,
    reset_peak,
    resident_memory,
    warm_memory,
)
from tests.bench.servers import Running, Server
from tests.bench.wire import Target
from tests.bench.workloads import Workload

ROOT = Path(__file__).parents[2]
GIB = 1 << 30
MEANWHILE = 16
"""Connections of the small requests that are sent while something else goes on."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One server, one workload, one round.

    Attributes:
        rate: in the workload's unit.
        p50, p99: seconds of one operation.
        cpu: CPU seconds of the server until it rests again, per GiB moved or per 1,000 operations.
        peak: bytes of resident memory at its highest.
        idle: bytes resident before the work began.
        cold: seconds from start to first answer.
        own_cpu: CPU seconds of the load generator, in the same unit as `cpu`.
        waits: seconds that 99 of 100 manifest GETs took at most meanwhile; 0 where none were sent.
    """

    rate: float
    p50: float
    p99: float
    cpu: float
    peak: int
    idle: int
    cold: float
    own_cpu: float
    waits: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """A workload and what each server made of it, a sample a round."""

    workload: Workload
    samples: dict[str, list[Sample]]

    def median(self, server: str, field: str) -> float:
        """The median over the rounds."""
        return statistics.median(float(getattr(sample, field)) for sample in self.samples[server])

    def ratio(self, server: str, reference: str, field: str = "rate") -> float:
        """The median of the rounds' ratios."""
        ours = [float(getattr(sample, field)) for sample in self.samples[server]]
        theirs = [float(getattr(sample, field)) for sample in self.samples[reference]]
        return statistics.median(mine / max(other, 1e-9) for mine, other in zip(ours, theirs, strict=True))


def measure(workload: Workload, servers: Sequence[Server], rounds: int, folder: Path) -> Row:
    """Run one workload on every server, `rounds` times its turns; the folder is emptied afterwards."""
    able = [one for one in servers if one.name not in workload.without and workload.door in one.doors]
    samples: dict[str, list[Sample]] = {server.name: [] for server in able}
    with ExitStack() as stack:
        running = [_started(stack, server, workload, folder) for server in able]
        for number in range(rounds * workload.turns if running else 0):
            # The order turns, so that nobody always runs behind the same neighbour.
            for one in running[number % len(running) :] + running[: number % len(running)]:
                _write_back(folder)
                samples[one.name].append(_sample(workload, one, f"{os.getpid()} {number} {one.name}"))
    return Row(workload, samples)


def _started(stack: ExitStack, server: Server, workload: Workload, folder: Path) -> Running:
    place = folder / server.name
    place.mkdir(parents=True)
    stack.callback(shutil.rmtree, place)
    running = server.start(place, workload.door)
    stack.callback(running.stop)
    return running


def _write_back(folder: Path) -> None:
    """Write what an earlier round left dirty there: it is not the next round's to write."""
    subprocess.run(["sync", "--file-system", str(folder)], check=True)


def _sample(workload: Workload, running: Running, unique: str) -> Sample:
    pid = running.process.pid
    with generator() as process, _asking(workload, running) as waits:
        tell(process, json.dumps(asdict(job_of(workload, running, unique))))
        hear(process)
        idle = resident_memory(pid)
        reset_peak(pid)
        warm_memory(workload.bytes)
        waits.begin()
        before = cpu_seconds(pid)
        tell(process, "go")
        load = Load(**json.loads(hear(process)))
        slow = waits.end()
        cpu = cpu_at_rest(pid) - before
        peak = peak_memory(pid)
    return _figures(workload, load, Sample(0, 0, 0, cpu, peak, idle, running.cold, load.own_cpu, slow))


def job_of(workload: Workload, running: Running, unique: str) -> Job:
    """What the load generator is told of a round that `unique` names."""
    return Job(
        workload.flow,
        running.target,
        workload.clients,
        workload.size,
        workload.count,
        workload.seconds,
        workload.kind,
        unique,
        running.reader,
    )


@contextmanager
def _asking(workload: Workload, running: Running) -> Iterator["Waits"]:
    """Small requests meanwhile, where the workload wants them."""
    if not workload.meanwhile:
        yield Waits(None)
        return
    with asking(running.target, workload.meanwhile) as waits:
        yield waits


@contextmanager
def asking(target: Target, rate: float) -> Iterator["Waits"]:
    """GETs of a manifest, so many a second, from a process of their own while something else goes on."""
    job = Job("get_manifest", target, MEANWHILE, rate=rate)
    with generator() as process:
        tell(process, json.dumps(asdict(job)))
        hear(process)
        yield Waits(process)


class Waits:
    """The process that asks meanwhile; does nothing where there is none."""

    def __init__(self, process: subprocess.Popen[str] | None) -> None:
        self._process = process

    def begin(self) -> None:
        """Have it ask, and see that it does."""
        if self._process is not None:
            tell(self._process, "go")
            hear(self._process)

    def end(self) -> float:
        """Have it stop; seconds that 99 of 100 answers took at most."""
        if self._process is None:
            return 0.0
        tell(self._process, "stop")
        return slowest(sorted(Load(**json.loads(hear(self._process))).spent))


def slowest(spent: Sequence[float], percent: int = 99) -> float:
    """The value that so many of 100 sorted ones do not exceed; 0 of none."""
    return spent[min(len(spent) * percent // 100, len(spent) - 1)] if spent else 0.0


def _figures(workload: Workload, load: Load, raw: Sample) -> Sample:
    spent = sorted(load.spent)
    bulk = workload.unit == "MiB/s"
    amount = load.moved / GIB if bulk else len(spent) / 1000
    return replace(
        raw,
        rate=(load.moved / (1 << 20) if bulk else len(spent)) / load.seconds,
        p50=slowest(spent, 50),
        p99=slowest(spent),
        cpu=raw.cpu / amount,
        own_cpu=raw.own_cpu / amount,
    )


def generator() -> subprocess.Popen[str]:
    """A fresh load generator, waiting for its job."""
    command = [sys.executable, "-m", "tests.bench.generator"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def tell(process: subprocess.Popen[str], line: str) -> None:
    """Send the generator a line."""
    if process.stdin is None:
        raise RuntimeError("The load generator was started without a pipe to speak through.")
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    """The generator's next line."""
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise RuntimeError("The load generator failed; its error is above.")
    return line
