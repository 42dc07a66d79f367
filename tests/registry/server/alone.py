"""A registry in a process of its own, for tests of signals and files: `python -m …server.alone FILE DATA LISTEN`."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from registry.app import build
from registry.config.settings import RegistrySettings
from registry.config.sources import load
from registry.server.run import announce_on_stdout, run
from tests.server_process import Serving, started

_LISTENING = re.compile(r"listening on (\S+)")


class Alone:
    """A running process and the settings file it follows.

    Attributes:
        serving: the process.
        file: the settings file.
        url: where it listens.
    """

    def __init__(self, serving: Serving, file: Path) -> None:
        self.serving = serving
        self.process = serving.process
        self.file = file
        self.url = serving.wait_for(_LISTENING)[1]

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, for a socket."""
        url = httpx.URL(self.url)
        return url.host, url.port or 80

    def client(self, **options: Any) -> httpx.Client:
        """An HTTP client for it."""
        return httpx.Client(base_url=self.url, timeout=30, **options)


@contextmanager
def alone(folder: Path, listen: str = "127.0.0.1:0", settings: str = "") -> Iterator[Alone]:
    """Start a process with a settings file, and end it."""
    file = folder / "basegate.yaml"
    file.write_text(settings, encoding="utf-8")
    command = [sys.executable, "-m", __name__, str(file), str(folder / "data"), listen]
    with started(command, folder / "serving.log", {}) as running:
        yield Alone(running, file)


def main() -> None:
    """Serve with the settings of a file over a data folder."""
    file, data, listen = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    flags = {"listen": listen, "data": data, "auth.required": False, "operations.watch": False}

    def read() -> RegistrySettings:
        return load(RegistrySettings, file, flags, os.environ)

    with closing(build(read())) as app:
        run(app, read, [file], announce_on_stdout, partial(print, flush=True))


if __name__ == "__main__":
    main()
