"""Inspection speed: one generated layer, read by basegate, by tarfile and by the bare decompressor in the same run.

`python -m tests.bench.inspection` makes a layer of 1.5 GB with 50,000 members; `--members` and `--megabytes` make a
smaller one. Each reader runs in a process of its own, interleaved; printed are medians of processor and wall seconds.
"""

import argparse
import gzip
import io
import os
import random
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from isal import igzip_lib

from policy.inspection.layers import scan_layer
from tests.bench.measures import peak_memory

PIECE = 256 * 1024


def write_layer(path: Path, members: int, megabytes: int) -> None:
    """A gzip layer that looks like an installed Python: long paths, many small files, some large.

    The bytes are those of the running Python's own library (sources, compiled modules, shared objects), so that they
    compress as layers do: noise would be stored, which a slow inflater copies as fast as a quick one.
    """
    chance = random.Random(20190711)  # noqa: S311
    source = library(min(megabytes, 96) * 1_000_000)
    average = megabytes * 1_000_000 // members
    with gzip.open(path, "wb", compresslevel=6) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        for number in range(members):
            folder = f"opt/miniconda/lib/python3.6/site-packages/package_{number // 40}/module_{number // 8 % 5}"
            info = tarfile.TarInfo(f"{folder}/file_with_a_usual_name_{number}.py")
            info.size = min(len(source), max(1, int(chance.expovariate(1 / average))))
            info.mode = 0o644
            start = chance.randrange(len(source) - info.size + 1)
            archive.addfile(info, io.BytesIO(source[start : start + info.size]))


def library(size: int) -> bytes:
    """At most so many bytes of the standard library's files, in a fixed random order."""
    files = sorted(file for file in Path(sysconfig.get_path("stdlib")).rglob("*.*") if file.is_file())
    random.Random(20190711).shuffle(files)  # noqa: S311
    found = bytearray()
    for file in files:
        found += file.read_bytes()
        if len(found) >= size:
            break
    return bytes(found[:size])


def inspect(path: Path) -> int:
    """Everything basegate does with a layer."""
    with path.open("rb") as source:
        found = scan_layer(source, "sha256:" + "0" * 64)
    assert found.problem is None
    return found.members


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
    "basegate": inspect,
    "decompressor": decompress,
    "tarfile": standard_tarfile,
}


def measure(name: str, path: Path) -> tuple[float, float, int]:
    """Processor seconds, wall seconds and peak RSS in KiB of one reader in a fresh process."""
    command = [sys.executable, "-m", "tests.bench.inspection", "--reader", name, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    cpu, wall, rss = done.stdout.split()
    return float(cpu), float(wall), int(rss)


def run_reader(name: str, path: Path) -> str:
    """One reader in this process: `CPU WALL RSS`."""
    started, used = time.monotonic(), time.process_time()
    READERS[name](path)
    # Not ru_maxrss: that begins with the peak of the process which started this one.
    return f"{time.process_time() - used} {time.monotonic() - started} {peak_memory(os.getpid()) // 1024}"


def report(path: Path, megabytes: int, rounds: int) -> str:
    """A table of medians, and the two ratios that matter."""
    runs = {name: [measure(name, path) for _ in range(0)] for name in READERS}
    for _ in range(rounds):
        for name in READERS:
            runs[name].append(measure(name, path))
    packed = path.stat().st_size / 1e6
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
        print(report(path, options.megabytes, options.rounds))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
