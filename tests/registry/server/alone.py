"""A registry in a process of its own, for tests of signals and files: `python -m …server.alone FILE DATA LISTEN`."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

from registry.app import build
from registry.config.settings import RegistrySettings
from registry.config.sources import load
from registry.server.run import announce_on_stdout, run

_ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Alone:
    """A running process and the settings file it follows."""

    process: subprocess.Popen[str]
    file: Path
    url: str

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        url = httpx.URL(self.url)
        return url.host, url.port or 80

    def client(self, **options: Any) -> httpx.Client:
        """An HTTP client for it."""
        return httpx.Client(base_url=self.url, timeout=30, **options)

    def reload(self) -> None:
        """Tell it to read its settings again."""
        self.process.send_signal(signal.SIGHUP)

    def end(self) -> int:
        """Tell it to stop; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def log_until(self, word: str) -> str:
        """Wait for a line of the log that holds the word."""
        return self.log_up_to(word)[-1]

    def log_up_to(self, word: str) -> list[str]:
        """The lines of the log that were not given yet, up to the first that holds the word."""
        assert self.process.stderr is not None
        lines: list[str] = []
        for line in self.process.stderr:
            lines.append(line)
            if word in line:
                break
        return lines


@contextmanager
def alone(folder: Path, listen: str = "127.0.0.1:0") -> Iterator[Alone]:
    """Start a process with an empty settings file, and end it."""
    file = folder / "basegate.yaml"
    file.touch()
    with subprocess.Popen(
        [sys.executable, "-m", __name__, str(file), str(folder / "data"), listen],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            line = _until(process.stdout, lambda line: "listening on" in line)
            yield Alone(process, file, line.split()[-1])
        finally:
            process.kill()


def _until(stream: IO[str] | None, wanted: Callable[[str], bool]) -> str:
    assert stream is not None
    return next(line for line in stream if wanted(line))


def main() -> None:
    """Serve with the settings of a file over a data folder."""
    file, data, listen = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    flags = {"listen": listen, "data": data, "auth.required": False, "operations.watch": False}

    def read() -> RegistrySettings:
        return load(RegistrySettings, file, flags, os.environ)

    with closing(build(read())) as app:
        run(app, read, [file], announce_on_stdout)


if __name__ == "__main__":
    main()
