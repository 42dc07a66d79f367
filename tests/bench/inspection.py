"""Inspection speed: one generated layer, read by basegate, by tarfile and by the bare decompressor in the same run.

`python -m tests.bench.inspection` makes a layer of 1.5 GB with 50,000 members; `--members` and `--megabytes` make a
smaller one. Each reader runs in a process of its own, interleaved, with the same settings of the C library's allocator:
basegate in a worker as the server starts it, with all its limits, and hashing the blob as well. Printed are medians of
processor and wall seconds.
"""

import argparse
import gzip
import io
import os
import stat
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median

from isal import igzip_lib

from policy.inspection.budgets import Budgets
from policy.inspection.layer.report import LayerInspection
from policy.inspection.worker.job import LayerJob
from policy.inspection.worker.process import ALLOCATOR, WorkerProcess
from registry.storage.disk.reading import open_file
from tests.bench.measures import cpu_seconds, peak_memory

PIECE = 256 * 1024
WORKER_BYTES = 1 << 30
TREES = ("/usr/bin", "/usr/include", "/usr/share/doc")


def write_layer(path: Path, members: int, megabytes: int) -> None:
    """A gzip layer of files of this machine, whole and in the order of their folders, of the wanted average size.

    What the machine has is taken as often as needed, below a folder of another name each time, as several
    installations of Python side by side do. Most files of a layer are small: where the average falls behind, the
    next one is taken from those that are larger than it.
    """
    average = megabytes * 1_000_000 // members
    files = installed()
    largest = max(4 * average, megabytes * 10_000)
    small = cycle([path for path, size in files if size <= average])
    large = cycle([path for path, size in files if average < size <= largest])
    written = 0
    with gzip.open(path, "wb", compresslevel=6) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        for number in range(members):
            file = next(small if written > number * average else large)
            body = Path(file).read_bytes()
            info = tarfile.TarInfo(f"copy_{number * 4 // members}{file}")
            info.size, info.mode = len(body), 0o644
            archive.addfile(info, io.BytesIO(body))
            written += len(body)


def installed() -> list[tuple[str, int]]:
    """Readable files of the running Python, of programs, headers and documentation, by path, with their sizes."""
    found = []
    for tree in (sysconfig.get_path("stdlib"), *TREES):
        for folder, _, names in os.walk(tree):
            for path in (f"{folder}/{name}" for name in names):
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode) and os.access(path, os.R_OK):
                    found.append((path, status.st_size))
    return sorted(found)


def inspect(path: Path) -> tuple[int, float, float, int]:
    """Everything basegate does with a layer, in a worker as the server starts it: members, and what `measure` gives."""
    worker = WorkerProcess(WORKER_BYTES, nice=0)
    try:
        with tempfile.NamedTemporaryFile() as empty:
            empty.write(bytes(1024))
            empty.flush()
            answered(worker, Path(empty.name))  # it has started when it has answered once
        started, used = time.monotonic(), cpu_seconds(worker.pid)
        found = answered(worker, path)
        wall, cpu = time.monotonic() - started, cpu_seconds(worker.pid) - used
        return found.members, cpu, wall, peak_memory(worker.pid) // 1024
    finally:
        worker.end()


def answered(worker: WorkerProcess, path: Path) -> LayerInspection:
    """What a worker says of a layer."""
    job = LayerJob(opener=partial(open_file, path))
    job.open()
    worker.start(job, Budgets())
    while not worker.wait():
        pass
    job.release()
    found = LayerInspection.from_bytes(worker.answer()[1])
    assert found.problem is None
    return found


def decompress(path: Path) -> int:
    """The same decompressor, nothing else."""
    decoder = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)
    total = 0
    with path.open("rb") as source:
        while piece := source.read(PIECE):
            total += len(decoder.decompress(piece, 1 << 20))
            while not decoder.needs_input and not decoder.eof:
                total += len(decoder.decompress(b"", 1 << 20))
    return total


def standard_tarfile(path: Path) -> int:
    """The standard library's streaming reader, headers only."""
    with tarfile.open(path, "r|gz") as archive:
        return sum(1 for _ in archive)


READERS: dict[str, Callable[[Path], int]] = {
    "decompressor": decompress,
    "tarfile": standard_tarfile,
}
NAMES = ("basegate", *READERS)


def measure(name: str, path: Path) -> tuple[float, float, int]:
    """Processor seconds, wall seconds and peak RSS in KiB of one reader in a fresh process."""
    if name not in READERS:
        return inspect(path)[1:]
    command = [sys.executable, "-m", "tests.bench.inspection", "--reader", name, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **ALLOCATOR})
    cpu, wall, rss = done.stdout.split()
    return float(cpu), float(wall), int(rss)


def run_reader(name: str, path: Path) -> str:
    """One of `READERS` in this process: `CPU WALL RSS`."""
    started, used = time.monotonic(), time.process_time()
    READERS[name](path)
    # Not ru_maxrss: that begins with the peak of the process which started this one.
    return f"{time.process_time() - used} {time.monotonic() - started} {peak_memory(os.getpid()) // 1024}"


def report(path: Path, rounds: int) -> str:
    """A table of medians, and the two ratios that matter."""
    runs = {name: [measure(name, path)] for name in NAMES}
    for _ in range(rounds - 1):
        for name in NAMES:
            runs[name].append(measure(name, path))
    packed, megabytes = path.stat().st_size / 1e6, round(decompress(path) / 1e6)
    lines = [f"layer: {packed:.0f} MB compressed, {megabytes} MB uncompressed"]
    wall = {}
    for name, found in runs.items():
        cpu, wall[name] = median(item[0] for item in found), median(item[1] for item in found)
        rate = f"{packed / wall[name]:6.0f} MB/s compressed, {megabytes / wall[name]:6.0f} MB/s uncompressed"
        lines.append(f"{name:13} cpu {cpu:6.2f} s, wall {wall[name]:6.2f} s, {rate}, RSS {found[-1][2] / 1024:.0f} MiB")
    lines.append(f"basegate is {wall['tarfile'] / wall['basegate']:.2f} x tarfile r|gz")
    lines.append(f"basegate is {wall['decompressor'] / wall['basegate']:.2f} x the bare decompressor")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure, or run one reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=50_000)
    parser.add_argument("--megabytes", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reader", choices=sorted(READERS))
    parser.add_argument("layer", type=Path, nargs="?", help="an existing gzip layer")
    options = parser.parse_args(arguments)
    if options.reader:
        print(run_reader(options.reader, options.layer))  # noqa: T201
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = options.layer or Path(folder) / "layer.tar.gz"
        if options.layer is None:
            write_layer(path, options.members, options.megabytes)
        print(report(path, options.rounds))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
