"""Starts and ends registries many times, and says what is left: `python -m tests.policy.testing.cycles 1000`."""

import gc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from policy.testing.server import Basegate, registry, server

_TURNS = 6
Left = tuple[list[str], list[str], list[str], list[str]]


def left() -> Left:
    """Threads, open files and sockets, child processes, and temporary folders of this process."""
    gc.collect()
    held = []
    for file in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of the listing itself
            held.append(str(file.readlink()))
    threads = [thread.name for thread in threading.enumerate()]
    children = [pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]
    folders = [folder.name for folder in Path(tempfile.gettempdir()).glob("basegate-*")]
    return sorted(threads), sorted(held), children, sorted(folders)


def servers(count: int) -> float:
    """So many servers, one after the other, each with an image; seconds for one."""
    began = time.perf_counter()
    for _ in range(count):
        with registry() as fresh:
            fresh.push_image({"it": "x"})
    return (time.perf_counter() - began) / count


def registries(count: int) -> tuple[float, Left, Left]:
    """So many registries on one server; seconds for one, and what is open in the server's time before and after.

    A server opens connections, and begins threads, when it first needs them: that is no leak, which every turn shows.
    """
    with server() as running:
        for _ in range(_TURNS):
            before, began = _left_in_use(running), time.perf_counter()
            for _ in range(count):
                with running.registry():
                    pass
            taken = (time.perf_counter() - began) / count
            after = _left_in_use(running)
            if after == before:
                break
        return taken, before, after


def _left_in_use(running: Basegate) -> Left:
    with running.registry() as used:
        used.push_image({"it": "x"})
    return left()


def _since_start() -> float:
    """Seconds since this process began."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def main(count: int, tell: Callable[[str], None]) -> int:
    """Both, with the first of each apart; 1 when anything is left."""
    began = time.perf_counter()
    with registry() as first:
        taken, whole = 1000 * (time.perf_counter() - began), 1000 * _since_start()
        tell(f"first registry: {taken:.0f} ms; {whole:.0f} ms after the process began, imports included")
        first.verdict(first.push_image({"it": "x"}))
    before = left()
    tell(f"a server, an image and its end: {1000 * servers(count):.1f} ms each, {count} times")
    after = left()
    taken, within, later = registries(count)
    tell(f"a further registry on one server: {1000 * taken:.1f} ms each, {count} times")
    if (before, within) == (after, later):
        tell("nothing is left")
        return 0
    tell(f"before {before}\nafter  {after}\nwithin {within}\nlater  {later}")
    return 1


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as own:  # where no other process makes folders
        tempfile.tempdir = own
        code = main(int(sys.argv[1]), print)
    sys.exit(code)
