"""How much a running build has: bytes on disk, memory, processes. Read from outside of it."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from policy.azure.builds.jail import NICENESS

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """What was measured.

    Attributes:
        disk: bytes that the files of the build take.
        memory: bytes in memory of all its processes.
        processes: how many there are.
        free: bytes of room on the disk.
    """

    disk: int
    memory: int
    processes: int
    free: int


class Growth:
    """What comes to the folder of a daemon, which other builds and images are in as well.

    Args:
        root: the folder; `None` where there is none, or none that can be seen.
    """

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._there = frozenset(self._places())

    def measure(self) -> int:
        """Bytes of what was not there in the beginning; each layer and container is a folder of its own."""
        return sum(_bytes_in(place) for place in self._places() if place not in self._there)

    def _places(self) -> list[Path]:
        try:
            return [] if self._root is None else [*self._root.glob("*/*")]
        except OSError:
            return []


def measure(folder: Path, jail: int, growth: Growth) -> Usage:
    """Measure, and have sessions that the step has begun give way to the registry; what ends meanwhile is left out.

    Args:
        folder: of the build.
        jail: id of the process that holds the step apart.
        growth: of the daemon that builds.
    """
    memory = processes = 0
    space = _namespace(f"/proc/{jail}/ns/pid_for_children")
    # Until the step is set apart, and where it never is, its namespace is everybody's.
    if space and space != _namespace("/proc/self/ns/pid"):
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and _namespace(f"{entry}/ns/pid") == space:
                processes += 1
                memory += _resident(entry)
                _yield_session(entry)
    return Usage(_bytes_in(folder) + growth.measure(), memory, processes, shutil.disk_usage(folder).free)


def _namespace(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""


def _resident(process: Path) -> int:
    try:
        return int((process / "statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def _yield_session(process: Path) -> None:
    """Give its session the niceness of the build: where the kernel shares processors between sessions, that of a
    process counts within its own session only (sched(7), "The autogroup feature").
    """
    group = process / "autogroup"
    with suppress(OSError):
        if not group.read_text(encoding="ascii").endswith(f"nice {NICENESS}\n"):
            group.write_text(str(NICENESS), encoding="ascii")


def _bytes_in(folder: Path) -> int:
    """Without recursion: a build may make folders as deep as it likes. What is mounted there is somewhere else."""
    try:
        own = folder.lstat()
    except OSError:
        return 0
    total, waiting = own.st_blocks * 512, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    if found.st_dev != own.st_dev:
                        continue
                    total += found.st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError:
            continue
    return total
