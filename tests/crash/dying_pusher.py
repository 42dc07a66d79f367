"""A program that pushes images into a data folder and is killed at its n-th step on the disk.

    python -m tests.crash.dying_pusher FOLDER FIRST STRIDE

For n = FIRST, FIRST + STRIDE, … it forks a child that works in FOLDER/n, until a child gets to its end. A child
writes a line to FOLDER/n/acknowledged whenever a push was acknowledged: `blob REPOSITORY DIGEST` or
`manifest REPOSITORY TAG DIGEST`.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from registry.oci.names import RepositoryName, Tag
from tests.registry.open_services import OpenServices, image, open_services

STEPS = ("mkdir", "open", "pwritev", "write", "ftruncate", "fdatasync", "fsync", "rename", "link", "unlink", "rmdir")
ACKNOWLEDGED = "acknowledged"
SHARED = b"a layer that every image has"


class DeathAtStep:
    """Counts calls of `os` functions that change the disk, in all threads, and dies before the n-th."""

    def __init__(self, n: int) -> None:
        self._left = n
        self._lock = threading.Lock()

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, counted."""

        def counted(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                self._left -= 1
                if self._left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return counted


async def push_one(services: OpenServices, log: int, number: int) -> None:
    """Push one image of three blobs, small and large, telling of each acknowledgement at once."""
    repository = RepositoryName(f"team/app{number % 2}")
    layers = [SHARED, f"layer {number} ".encode() * 10_000]
    for content in (b"{}", *layers):
        digest = await services.push_blob(content, repository)
        os.write(log, f"blob {repository} {digest}\n".encode())
    pushed = await services.push_manifest(image(layers), Tag(f"v{number}"), repository)
    os.write(log, f"manifest {repository} v{number} {pushed.digest}\n".encode())


def push_all(data: Path, log: int) -> None:
    """Push four images at the same time, then one of them once more."""

    async def work(services: OpenServices) -> None:
        await asyncio.gather(*(push_one(services, log, number) for number in range(4)))
        await push_one(services, log, 0)

    with open_services(data) as services:
        services.run(work(services))


def child(folder: Path, n: int) -> None:
    """Push until death."""
    folder.mkdir()
    log = os.open(folder / ACKNOWLEDGED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    log_write, death = os.write, DeathAtStep(n)
    for name in STEPS:
        setattr(os, name, death.wrap(getattr(os, name)))
    # The acknowledgements themselves are no step.
    os.write = lambda to, data: (log_write if to == log else death.wrap(log_write))(to, data)
    push_all(folder / "data", log)


def main(folder: Path, *, first: int, stride: int) -> None:
    """One child after the other, each dying `stride` steps later than the one before."""
    n = first
    while True:
        pid = os.fork()
        if pid == 0:
            child(folder / str(n), n)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if status != signal.SIGKILL:
            sys.exit(os.waitstatus_to_exitcode(status))
        n += stride


if __name__ == "__main__":
    main(Path(sys.argv[1]), first=int(sys.argv[2]), stride=int(sys.argv[3]))
