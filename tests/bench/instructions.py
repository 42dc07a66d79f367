"""Instructions of an operation, counted by valgrind: what other work on the machine cannot change.

The server runs in callgrind, some fifty times slower; what the kernel does for it, and what inspection workers do, is
not counted. Each row is done once to warm up; the least of some rounds counts, as background work is in
the others.
"""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tests.bench.basegate import Basegate
from tests.bench.generator import Load
from tests.bench.report import title
from tests.bench.rounds import generator, hear, job_of, tell
from tests.bench.servers import Running
from tests.bench.turns import MORE
from tests.bench.workloads import Workload

MIB = 1 << 20
PATIENCE = 600.0
ROUNDS = 3
QUIET = {"BASEGATE_STORAGE__COPY_SECONDS": "0"}
"""No copy of the rows meanwhile: it is made once a second, however many operations a slow server fits in."""
REST = 3.0
"""Seconds that a server has for what goes on behind its last answer, and as many in which it is left alone."""
HEAD = "| workload | thousand instructions of | before | now | ratio |\n|---|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Counts:
    """Thousands of instructions of an operation, or of a MiB, in either tree."""

    workload: Workload
    before: float
    now: float

    @property
    def ratio(self) -> float:
        """What it takes now as a multiple of what it took before."""
        return self.now / self.before

    def line(self) -> str:
        """The row of the table."""
        unit = "an operation" if self.workload.unit == "op/s" else "a MiB"
        return f"| {title(self.workload)} | {unit} | {self.before:,.0f} | {self.now:,.0f} | {self.ratio:.2f} |"


def counted(before: Path, workloads: Sequence[Workload], place: Path) -> Iterator[Counts]:
    """Each row in both trees; rows that speak to the server alike share one server of a tree.

    Args:
        before: a working tree with its own `.venv`.
        workloads: what is done, in far fewer operations than when seconds are counted.
        place: where the servers store.
    """
    trees: dict[str, tuple[Path | None, dict[str, str]]] = {"before": (before.resolve(), {}), "now": (None, QUIET)}
    for door in dict.fromkeys(one.door for one in workloads):
        with ExitStack() as stack:
            running = {}
            for name, (tree, environment) in trees.items():
                folder = place / door / name
                folder.mkdir(parents=True)
                server = Basegate(name, environment=environment, tree=tree, under=_under(folder), patience=PATIENCE)
                running[name] = server.start(folder, door)
                stack.callback(running[name].stop)
            for workload in (one for one in workloads if one.door == door):
                found = {name: _count(_short(workload), one, place / door / name) for name, one in running.items()}
                yield Counts(workload, found["before"], found["now"])


def _under(folder: Path) -> tuple[str, ...]:
    options = ("--instr-atstart=no", f"--callgrind-out-file={folder}/counts", f"--log-file={folder}/valgrind")
    return ("valgrind", "--tool=callgrind", *options)


def _short(workload: Workload) -> Workload:
    return replace(workload, count=min(workload.count, 3), seconds=min(workload.seconds, 4.0) and 4.0)


def _count(workload: Workload, running: Running, folder: Path) -> float:
    _load(workload, running, "to warm up")
    least = float("inf")
    for number in range(ROUNDS):
        load, found = _load(workload, running, f"counted {number}", folder)
        least = min(least, found / 1000 / (len(load.spent) if workload.unit == "op/s" else load.moved / MIB))
    return least


def _load(workload: Workload, running: Running, unique: str, folder: Path | None = None) -> tuple[Load, int]:
    pid, found, idle = running.process.pid, 0, 0.0
    with generator() as process:
        tell(process, json.dumps(asdict(job_of(workload, running, f"{title(workload)} {unique}"))))
        hear(process)
        if folder is not None:
            idle = _idle(pid, folder)
        began = time.monotonic()
        tell(process, "go")
        load = Load(**json.loads(hear(process)))
        time.sleep(REST)
        if folder is not None:
            found = _dump(pid, folder) - int(idle * (time.monotonic() - began))
            _tell_valgrind(pid, "-i", "off")
    return load, found


def _idle(pid: int, folder: Path) -> float:
    """Instructions of a second in which nothing is asked, once what was asked before is settled."""
    _tell_valgrind(pid, "-i", "on")
    time.sleep(REST)
    _dump(pid, folder)
    time.sleep(REST)
    return _dump(pid, folder) / REST


def _dump(pid: int, folder: Path) -> int:
    """Instructions since the last time."""
    _tell_valgrind(pid, "-d")
    total = 0
    for path in folder.glob("counts.*"):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("summary:"))
        path.unlink()
    return total


def _tell_valgrind(pid: int, *words: str) -> None:
    subprocess.run(["callgrind_control", *words, str(pid)], check=True, capture_output=True)


def dearer(rows: Sequence[Counts]) -> str:
    """The rows that take more than `MORE` times what they took before."""
    found = [f"{title(row.workload)} ({row.ratio:.2f})" for row in rows if row.ratio > MORE]
    return (
        f"{len(rows) - len(found)} of {len(rows)} rows within {MORE:g}.{' Above: ' if found else ''}{', '.join(found)}"
    )
