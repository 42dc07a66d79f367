"""Starts basegate in processes of their own, fast: they are forked from one that has imported everything.

`python -m tests.crash.launcher` reads a JSON object a line from standard input, and forks a process for each:
`{"arguments", "control", "root", "output", "mutant"}`. It answers `{"pid"}` at once, and `{"pid", "code"}` when one has
ended; a negative code is the signal. It ends with its standard input.
"""

import ctypes
import functools
import gc
import importlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from policy.app import build
from policy.definition import policy
from policy.settings import Settings
from tests.crash.acknowledged import Acknowledged, Findings
from tests.crash.caller import LARGE, Caller
from tests.crash.library import library
from tests.crash.wire import Wire
from tests.servers import open_settings, running

_IMPORTED = (
    "policy.cli.main",
    "policy.cli.serve",
    "policy.inspection.worker.main",
    "registry.cli.backup",
    "registry.cli.scrub",
)
_MORE = ("registry.cli.gc", "registry.cli.principals", "registry.cli.verify", "jwt", "uvloop")


_PR_SET_PDEATHSIG = 1


class Launcher:
    """The process that forks, from outside. Not for several threads at a time."""

    def __init__(self) -> None:
        environment = {**os.environ, "LD_PRELOAD": str(library()), "PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.launcher"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._ended: dict[int, int] = {}

    def start(self, arguments: list[str], **more: str) -> int:
        """Fork `basegate ARGUMENTS`; the number of the process."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"arguments": arguments, **more}) + "\n")
        self._process.stdin.flush()
        while True:
            told = self._told()
            if "code" not in told:
                return int(told["pid"])

    def wait(self, pid: int) -> int:
        """The exit code of a process that ends by itself or was killed."""
        while pid not in self._ended:
            self._told()
        return self._ended.pop(pid)

    def close(self) -> None:
        """End the launcher; the processes it has forked are the caller's to end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _told(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the launcher has ended")
        told: dict[str, Any] = json.loads(line)
        if "code" in told:
            self._ended[told["pid"]] = told["code"]
        return told


def _forked(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        _become(order)
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - a forked process never goes on as the launcher
        sys.excepthook(*sys.exc_info())
        code = 70
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _become(order: dict[str, Any]) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # nobody outlives a test run that was ended
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, target)
    os.environ.pop("LD_PRELOAD", None)
    if order.get("mutant"):
        importlib.import_module("tests.crash.mutants").apply(order["mutant"])
    if order.get("control"):
        use = ctypes.CDLL(None).faults_use
        if use(os.fsencode(order["control"]), os.fsencode(order["root"])):
            raise RuntimeError("the library does not take part")
    sys.argv = ["basegate", *order["arguments"]]
    from policy.__main__ import main  # noqa: PLC0415

    main()
    raise SystemExit(0)


def _warm_up() -> None:
    """Push an image to a registry in this process, so that what is made at first use is not made in each process."""
    # The shipped policies are the same for all; reading them is a third of a start.
    policy.load_policy = functools.cache(policy.load_policy)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate({**open_settings(Path(folder) / "data").model_dump()})
        with running(build(settings)) as live:
            caller = Caller(Wire(int(live.url.rpartition(":")[2])), Acknowledged(), "warm/up", "warm up")
            raw = caller.image("tag", LARGE)
            caller.manifest(caller.document(subject=raw))
            caller.known.check(caller.wire, {}, Findings())
            caller.wire.close()


def _reaped() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _tell({"pid": pid, "code": os.waitstatus_to_exitcode(status)})


def _tell(what: dict[str, Any]) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def main() -> None:
    """Fork until there is nobody left to ask for it."""
    for name in (*_IMPORTED, *_MORE):
        importlib.import_module(name)
    _warm_up()
    gc.collect()
    gc.freeze()
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(writing)
    waiting = selectors.DefaultSelector()
    waiting.register(0, selectors.EVENT_READ)
    waiting.register(reading, selectors.EVENT_READ)
    rest = b""
    while True:
        for key, _events in waiting.select():
            if key.fd == reading:
                os.read(reading, 1024)
                _reaped()
                continue
            read = os.read(0, 65_536)
            if not read:
                return
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                _tell({"pid": _forked(json.loads(line))})


if __name__ == "__main__":
    main()
