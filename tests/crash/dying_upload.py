"""A program that uploads one blob in one of the ways of clients and is killed at its n-th step on the disk.

    python -m tests.crash.dying_upload FOLDER WAY

For n = 1, 2, … it forks a child that works in FOLDER/n, until a child gets to its end. A child writes a line to
FOLDER/n/acknowledged for each answer that a client would have seen: `opened ID`, `stands SIZE`, `done`.
"""

import os
import signal
import sys
from pathlib import Path

from registry.oci.digest import Digest
from tests.crash.dying_pusher import ACKNOWLEDGED, STEPS, DeathAtStep
from tests.registry.open_services import PUSHER, REPOSITORY, OpenServices, open_services, pieces

WAYS: dict[str, tuple[bytes, ...]] = {
    "whole": (b"all of it in the last request " * 10_000,),
    "small": (b"a small blob",),
    "streamed": (b"bytes of a PATCH " * 10_000, b""),
    "in parts": (b"bytes of a PATCH " * 10_000, b"bytes of another " * 10_000, b"and of the last request " * 10_000),
}
"""The bodies of the requests of an upload; the last is that of the PUT."""


async def upload(services: OpenServices, log: int, bodies: tuple[bytes, ...]) -> None:
    """What a client asks for, with a word on each answer."""
    session = await services.uploads.start(REPOSITORY, PUSHER)
    os.write(log, f"opened {session.id}\n".encode())
    for body in bodies[:-1]:
        stands = await services.uploads.append(session, pieces(body), None, len(body))
        os.write(log, f"stands {stands}\n".encode())
    await services.uploads.finish(session, Digest.of(b"".join(bodies)), pieces(bodies[-1]), None, len(bodies[-1]))
    os.write(log, b"done\n")


def child(folder: Path, way: str, n: int) -> None:
    """Upload until death."""
    folder.mkdir()
    log = os.open(folder / ACKNOWLEDGED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open_services(folder / "data") as services:
        log_write, death = os.write, DeathAtStep(n)
        for name in STEPS:
            setattr(os, name, death.wrap(getattr(os, name)))
        os.write = lambda to, data: (log_write if to == log else death.wrap(log_write))(to, data)
        services.run(upload(services, log, WAYS[way]))
        os._exit(0)


def main(folder: Path, way: str) -> None:
    """One child after the other, each dying a step later than the one before."""
    n = 1
    while True:
        pid = os.fork()
        if pid == 0:
            child(folder / str(n), way, n)
        _, status = os.waitpid(pid, 0)
        if status != signal.SIGKILL:
            sys.exit(os.waitstatus_to_exitcode(status))
        n += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
