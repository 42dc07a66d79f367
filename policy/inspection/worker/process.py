"""The server's side of one inspection worker: a child process and its socket, one layer at a time."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from policy.inspection.budgets import Budgets
from policy.inspection.worker.job import LayerJob, Progress
from policy.inspection.worker.messages import ConnectionLost, receive, receive_bytes, send

# By default glibc returns the memory of every piece to the kernel and faults it in again, page by page: a second of
# system time for 1.5 GB. Other C libraries ignore these variables.
ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
}
_LOOK_SECONDS = 0.5
_ANSWER_SECONDS = 60.0
_NICEST = 19


class WorkerDied(Exception):
    """The process is gone; the message says how, as the end of a sentence.

    Attributes:
        passing: whether something outside ended it, and not the layer.
    """

    def __init__(self, how: str, *, passing: bool = False) -> None:
        super().__init__(how)
        self.passing = passing


_FROM_OUTSIDE = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, -signal.SIGQUIT}
"""Signals that come from outside: neither the worker nor its limits send them."""


def not_for_this_user() -> str:
    """Why this process cannot start a worker, as when root acts as the owner of a data folder; "" when it can."""
    for file, access, verb in ((sys.executable, os.X_OK, "run"), (__file__, os.R_OK, "read")):
        if not os.access(file, access, effective_ids=True):
            return (
                f"user {os.geteuid()} may not {verb} {Path(file).resolve()}: install basegate and its Python where "
                "that user can read them, or let the server of that user inspect the image"
            )
    return ""


class WorkerProcess:
    """A child process that inspects layers. Only `wake` may be called from other threads."""

    def __init__(self, memory_bytes: int, nice: int) -> None:
        """Start the process, without the server's environment and files.

        Args:
            memory_bytes: the limit of its address space.
            nice: its niceness, relative to this process.
        """
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-B", "-m", "policy.inspection.worker.main", str(memory_bytes)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **ALLOCATOR},
                cwd="/",
            )
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.pid = self._process.pid
        self.layers = 0
        self.memory = 0
        self._nice = 0
        self.set_nice(nice)

    def set_nice(self, nice: int) -> bool:
        """Set the niceness of the process and its threads, relative to this process.

        `False` when the system refuses: an ordinary user may not lower it.
        """
        if nice == self._nice:
            return True
        wanted = min(os.getpriority(os.PRIO_PROCESS, 0) + nice, _NICEST)
        try:
            for thread in Path(f"/proc/{self.pid}/task").iterdir():
                with suppress(ProcessLookupError):
                    os.setpriority(os.PRIO_PROCESS, int(thread.name), wanted)
        except (FileNotFoundError, PermissionError):  # not found: it has died, or /proc hides it
            return False
        self._nice = nice
        return True

    def wake(self) -> None:
        """End `wait`: the present job has changed."""
        try:
            os.eventfd_write(self._wake, 1)
        except OSError:  # the process was ended meanwhile
            return

    def start(self, job: LayerJob, budgets: Budgets) -> Progress:
        """Send a job; returns the progress sent with it.

        Raises:
            WorkerDied: the process is gone.
        """
        progress = job.progress
        message: dict[str, Any] = {**asdict(progress), "algorithm": job.algorithm, "budgets": asdict(budgets)}
        try:
            send(self._connection, message, job.descriptor)
        except OSError:
            raise self._death() from None
        self.layers += 1
        return progress

    def send_progress(self, progress: Progress) -> bool:
        """Send the progress of the layer; False when the socket is full, and it can be sent later.

        Raises:
            WorkerDied: the process is gone.
        """
        _, writable, _ = select.select([], [self._connection.fileno()], [], 0)
        if writable:
            self._send(asdict(progress))
        return bool(writable)

    def abandon(self) -> None:
        """Tell the process that the layer is no longer needed; it answers `abandoned`."""
        self._send({"abandon": True})

    def wait(self) -> bool:
        """Wait for an answer (True), or for `wake` or half a second (False)."""
        ready, _, _ = select.select([self._connection.fileno(), self._wake], [], [], _LOOK_SECONDS)
        if self._wake in ready:
            os.eventfd_read(self._wake)
        return self._connection.fileno() in ready

    def answer(self) -> tuple[dict[str, Any], bytes]:
        """Read the answer that `wait` announced.

        Raises:
            WorkerDied: the process is gone.
        """
        try:
            self._connection.settimeout(_ANSWER_SECONDS)
            message, _ = receive(self._connection)
            body = receive_bytes(self._connection)
        except (ConnectionLost, OSError, ValueError):
            raise self._death() from None
        self._connection.settimeout(None)
        self.memory = int(message["memory"])
        return message, body

    def end(self) -> None:
        """Kill the process and close its descriptors."""
        self._process.kill()
        self._process.wait()
        self._connection.close()
        os.close(self._wake)
        self._wake = -1

    def _send(self, message: dict[str, Any]) -> None:
        try:
            send(self._connection, message)
        except OSError:
            raise self._death() from None

    def _death(self) -> WorkerDied:
        how = self._exit_reason()
        return WorkerDied(how, passing=self._process.returncode in _FROM_OUTSIDE)

    def _exit_reason(self) -> str:
        deadline = time.monotonic() + 1.0
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        code = self._process.poll()
        if code is None:
            return "did not answer"
        if code == -signal.SIGXCPU:
            return "used up its processor time"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
