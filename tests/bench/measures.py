"""What a server costs: CPU seconds and peak memory of a process and its children, out of /proc."""

import mmap
import os
import time
from collections.abc import Iterator
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 30.0
WARM = 4 << 30
"""Bytes of free memory that are touched at most."""


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its descendants, those already gone and waited for included."""
    return sum(_spent(member) for member in family(pid))


def cpu_at_rest(pid: int, watched: float = 0.1) -> float:
    """`cpu_seconds` once the process and its descendants have ended what they were about.

    They rest when they take less than a twentieth of a processor for `watched` seconds; what began with the last
    request, such as looking into a layer, belongs to what was asked. No longer than `PATIENCE` seconds are waited.
    """
    now, end = cpu_seconds(pid), time.monotonic() + PATIENCE
    while time.monotonic() < end:
        time.sleep(watched)
        before, now = now, cpu_seconds(pid)
        if now - before <= max(watched / 20, 1 / _TICK):
            break
    return now


def peak_memory(pid: int) -> int:
    """Bytes of the highest resident sets since `reset_peak`, descendants added."""
    return sum(_status(member, "VmHWM") for member in family(pid))


def resident_memory(pid: int) -> int:
    """Bytes resident now, descendants added."""
    return sum(_status(member, "VmRSS") for member in family(pid))


def reset_peak(pid: int) -> None:
    """Start the peaks of a process and its descendants anew."""
    for member in family(pid):
        Path(f"/proc/{member}/clear_refs").write_text("5", encoding="ascii")


def family(pid: int) -> Iterator[int]:
    """The process and its descendants: the children of each of its threads."""
    yield pid
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = thread.read_text(encoding="ascii").split()
        except OSError:  # the thread or process has ended meanwhile
            continue
        for child in children:
            yield from family(int(child))


def _spent(pid: int) -> float:
    """Of one process with all its threads, to the nanosecond, and of its children that were waited for, in ticks."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
        own = time.clock_gettime(_clock(pid))
    except OSError:
        return 0.0
    return own + sum(int(field) for field in fields[13:15]) / _TICK


def _clock(pid: int) -> int:
    """What clock_getcpuclockid(3) gives for a process, which Python does not offer."""
    return (~pid << 3) | 2


def _status(pid: int, key: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return 0
    found = [int(line.split()[1]) for line in lines if line.startswith(f"{key}:")]
    return found[0] * 1024 if found else 0


def warm_memory(size: int) -> None:
    """Touch so many free bytes of the machine, at most `WARM`.

    The host of a virtual machine may take free pages away, and what touches them first waits until it gives them back:
    as long as writing them takes, and for whoever happens to be measured then.
    """
    if size:
        kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_POPULATE", 0)
        mmap.mmap(-1, min(size, WARM), flags=kind).close()
