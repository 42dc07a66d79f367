"""A server as a process of its own: what it has printed and logged, its signals, and its end."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

READY = re.compile(r"basegate is ready at (https?)://(\S+)")
_SECONDS = 60


class Serving:
    """A running server and what it has printed so far.

    Attributes:
        process: what runs.
        log: the file that its standard error goes to.
    """

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log
        self._printed = ""
        self._ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=(process.stdout,))
        self._reader.start()

    @property
    def host(self) -> str:
        """`HOST:PORT`; waits until the server says it."""
        return self.wait_for(READY)[2]

    @property
    def printed(self) -> str:
        """What it has printed so far."""
        with self._changed:
            return self._printed

    def wait_for(self, pattern: re.Pattern[str], seconds: float = _SECONDS) -> re.Match[str]:
        """Wait until standard output matches; a server that ends before fails the test."""
        with self._changed:
            self._changed.wait_for(lambda: pattern.search(self._printed) or self._ended, seconds)
            found = pattern.search(self._printed)
        assert found, f"the server printed only: {self._printed}"
        return found

    def reload(self) -> None:
        """Tell it with SIGHUP to read its settings again."""
        self.process.send_signal(signal.SIGHUP)

    def logged(self, word: str) -> list[str]:
        """Wait until a line of its log holds the word, and give all that do."""
        deadline = time.monotonic() + _SECONDS
        while not (found := [line for line in self.log.read_text().splitlines() if word in line]):
            assert time.monotonic() < deadline, f"the log says only: {self.log.read_text()}"
            time.sleep(0.02)
        return found

    def stop(self) -> str:
        """End it with SIGTERM, and give everything it printed."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(_SECONDS)
        self._reader.join(_SECONDS)
        return self._printed

    def _read(self, stdout: IO[str] | None) -> None:
        for line in stdout or ():
            with self._changed:
                self._printed += line
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


@contextmanager
def started(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Iterator[Serving]:
    """Start a server with its log in a file; ended when the block ends."""
    with (
        log.open("wb") as lines,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=lines,
            text=True,
            env=os.environ | dict(environment),
        ) as process,
    ):
        running = Serving(process, log)
        try:
            yield running
        finally:
            running.stop()


@contextmanager
def serving(data: Path, *arguments: str, **environment: str) -> Iterator[Serving]:
    """Run `basegate serve` as a person does, on a free port over a data folder, which is also where its log goes."""
    data.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "policy", "serve", "--data", str(data), "--listen", "127.0.0.1:0", *arguments]
    with started(command, data / "serving.log", {"BASEGATE_LOG__LEVEL": "error"} | environment) as running:
        yield running
