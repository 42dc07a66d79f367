"""The servers the bench knows how to start, each from an empty folder, on loopback, with storage on the same disk."""

import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from tests.bench.keys import Keys, make_keys, registry_token
from tests.bench.wire import Target

Door = Literal["open", "token", "tls", "secret"]

TOOLS = Path(__file__).parents[2] / ".tools" / "bin"
START_LIMIT = 30.0
"""Seconds a server has to answer its first request."""


@dataclass(slots=True)
class Running:
    """A started server.

    Attributes:
        name: its adapter's name.
        process: the server.
        target: how to speak to it.
        cold: seconds from the start of its process to its first answer.
    """

    name: str
    process: subprocess.Popen[bytes]
    target: Target
    cold: float = field(default=0.0)

    def stop(self) -> None:
        """End it and wait."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Server(Protocol):
    """How one registry is started."""

    @property
    def name(self) -> str:
        """What the table calls it."""
        ...

    def version(self) -> str:
        """What exactly is measured; "" when it is not installed."""
        ...

    def start(self, folder: Path, door: Door) -> Running:
        """Start it over an empty folder."""
        ...


@dataclass(frozen=True, slots=True)
class GoRegistry:
    """The Go reference, in the build a file name says."""

    name: str
    program: str

    def version(self) -> str:
        """Its own answer to --version."""
        path = _found(self.program)
        return _output(path, "--version").split(" ", 1)[-1].strip() if path else ""

    def start(self, folder: Path, door: Door) -> Running:
        """Its default configuration (in-memory blob descriptors), without its access log."""
        port, keys = free_port(), make_keys(folder)
        settings = folder / "config.yml"
        settings.write_text(_go_settings(folder, port, keys, door), encoding="utf-8")
        token = registry_token(keys) if door == "token" else ""
        process = launch([_found(self.program), "serve", str(settings)], folder)
        return answered(Running(self.name, process, Target(port, token, door == "tls")))


def _go_settings(folder: Path, port: int, keys: Keys, door: Door) -> str:
    lines = f"""\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  cache: {{blobdescriptor: inmemory}}
  delete: {{enabled: true}}
  maintenance: {{uploadpurging: {{enabled: false}}}}
  filesystem: {{rootdirectory: {folder}/data}}
http:
  addr: 127.0.0.1:{port}
  secret: bench
"""
    if door == "tls":
        lines += f"  tls: {{certificate: {keys.certificate}, key: {keys.key}}}\n"
    if door == "token":
        realm = f"http://127.0.0.1:{port}/token"
        lines += (
            f"auth:\n  token: {{realm: '{realm}', service: bench, issuer: bench, rootcertbundle: {keys.certificate}}}\n"
        )
    return lines


def launch(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a server with its output in a file of the folder."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)


def answered(running: Running, path: bytes = b"/v2/") -> Running:
    """Wait for the first answer; says how long it took."""
    start = time.perf_counter()
    while time.perf_counter() - start < START_LIMIT:
        if running.process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", running.target.port), timeout=5) as probe:
                if not running.target.tls:
                    probe.sendall(b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path)
                    probe.recv(1024)
                running.cold = time.perf_counter() - start
                return running
        except ConnectionRefusedError:
            time.sleep(0.01)
    running.stop()
    raise RuntimeError(f"{running.name} did not start; its output is in the file `log` of its folder.")


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _found(program: str) -> str:
    local = TOOLS / program
    return str(local) if local.exists() else (shutil.which(program) or "")


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
