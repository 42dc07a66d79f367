"""Registries of others on free ports: distribution and zot, where the tools have them."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.conftest import missing
from tests.ports import free_port

_SECONDS = 30
ALICE = "alice:$2b$05$Xw1CqnHMkuRG4iWGCq4iTeNo11OJI9ZBXAE2cYTLCGLjMQLptwaoe"
"""A line of a password file; the password is `secret`."""


@dataclass
class OtherRegistry:
    """A registry of others.

    Attributes:
        host: `HOST:PORT`.
        log: the file that its output goes to, with a line for each request.
        start: begins it again, on the same port over the same folder.
    """

    host: str
    log: Path
    start: Callable[[], "subprocess.Popen[bytes]"] = field(repr=False)
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """As settings name it."""
        return f"http://{self.host}"

    def client(self) -> httpx.Client:
        """An HTTP client for it."""
        return httpx.Client(base_url=self.url, timeout=_SECONDS)

    def begin(self) -> None:
        """Start it, and wait until it answers."""
        self._process = self.start()
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                httpx.get(f"{self.url}/v2/")
            except httpx.TransportError:
                assert time.monotonic() < deadline, f"it did not start: {self.log.read_text()[-2000:]}"
                assert self._process.poll() is None, f"it ended: {self.log.read_text()[-2000:]}"
                time.sleep(0.05)
            else:
                return

    def end(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_SECONDS)
            self._process = None

    def asked(self, method: str, part: str) -> int:
        """How many requests of this method its log has whose path holds this part."""
        said = (f'"{method} ', f'"method":"{method}"')  # in the logs of distribution, and of zot
        lines = self.log.read_text().splitlines()
        return sum(part in line and any(word in line for word in said) for line in lines)


@contextmanager
def distribution(folder: Path, *, htpasswd: str = "", proxied: str = "") -> Iterator[OtherRegistry]:
    """The registry of the distribution project.

    Args:
        folder: for its settings, content and log.
        htpasswd: lines with bcrypt hashes, when callers have to sign in.
        proxied: the registry that it is a proxy of itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    settings = folder / "config.yml"
    lines = [
        "version: 0.1",
        "log: {level: error, accesslog: {disabled: false}}",
        f"storage: {{delete: {{enabled: true}}, filesystem: {{rootdirectory: {folder}/data}}}}",
        f"http: {{addr: '127.0.0.1:{port}', secret: test}}",
    ]
    if htpasswd:
        (folder / "htpasswd").write_text(htpasswd)
        lines.append(f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}")
    if proxied:
        lines.append(f"proxy: {{remoteurl: '{proxied}'}}")
    settings.write_text("\n".join(lines) + "\n")
    with _running("registry", ["serve", str(settings)], folder, port) as started:
        yield started


@contextmanager
def zot(folder: Path) -> Iterator[OtherRegistry]:
    """The registry of the zot project."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    settings = folder / "config.json"
    document = {
        "distSpecVersion": "1.1.1",
        "storage": {"rootDirectory": str(folder / "data"), "dedupe": False, "gc": False},
        "http": {"address": "127.0.0.1", "port": str(port)},
        "log": {"level": "info"},
    }
    settings.write_text(json.dumps(document))
    with _running("zot", ["serve", str(settings)], folder, port) as started:
        yield started


@contextmanager
def _running(program: str, arguments: Sequence[str], folder: Path, port: int) -> Iterator[OtherRegistry]:
    path = shutil.which(program)
    if path is None:
        missing(f"{program} is not built: make bench-registries builds it")
    log = folder / "log"

    def start() -> "subprocess.Popen[bytes]":
        with log.open("ab") as lines:
            return subprocess.Popen([str(path), *arguments], stdin=subprocess.DEVNULL, stdout=lines, stderr=lines)

    registry = OtherRegistry(f"127.0.0.1:{port}", log, start)
    registry.begin()
    try:
        yield registry
    finally:
        registry.end()
