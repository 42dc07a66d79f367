"""The servers the bench knows how to start, each from an empty folder, on loopback, with storage on the same disk."""

import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, get_args

from tests.bench.keys import Keys, keys_in, make_keys, registry_token
from tests.bench.wire import Target
from tests.ports import free_port

Door = Literal["open", "token", "pull", "tls", "secret"]
"""How a row speaks to a server: with what is usual there, with a token, with the token of somebody who may only pull
(what must be pushed before is pushed by another), over TLS, or with the admin's secret."""
DOORS: frozenset[Door] = frozenset(get_args(Door))

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
        reader: how those speak to it who may only pull, behind the door `pull`.
        cold: seconds from the start of its process to its first answer.
    """

    name: str
    process: subprocess.Popen[bytes]
    target: Target
    reader: Target | None = None
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

    @property
    def doors(self) -> frozenset[Door]:
        """How it can be spoken to; rows that need another have no figure of it."""
        ...

    def version(self) -> str:
        """What exactly is measured; "" when it is not installed."""
        ...

    def settings(self) -> str:
        """How it is set up, where that bears on the figures."""
        ...

    def boot(self, folder: Path, door: Door) -> Running:
        """Start it over a folder, empty or not, up to its first answer."""
        ...

    def start(self, folder: Path, door: Door) -> Running:
        """Start it over an empty folder, and get what the door needs."""
        ...


@dataclass(frozen=True, slots=True)
class GoRegistry:
    """The Go reference, in the build a file name says."""

    name: str
    program: str
    doors: frozenset[Door] = DOORS

    def settings(self) -> str:
        """Its defaults; it does not sync what it stores."""
        return "file system driver, descriptors in memory, no access log"

    def version(self) -> str:
        """Its own answer to --version."""
        path = found(self.program)
        return output(path, "--version").split(" ", 1)[-1].strip() if path else ""

    def boot(self, folder: Path, door: Door) -> Running:
        """Its default configuration (in-memory blob descriptors), without its access log."""
        port, keys = free_port(), make_keys(folder)
        settings = folder / "config.yml"
        settings.write_text(_go_settings(folder, port, keys, door), encoding="utf-8")
        process = launch([found(self.program), "serve", str(settings)], folder)
        return answered(Running(self.name, process, Target(port, tls=door == "tls")))

    def start(self, folder: Path, door: Door) -> Running:
        """The same, with a token where one is needed; it has no idea of an admin's secret."""
        running = self.boot(folder, door)
        port = running.target.port
        if door in {"token", "pull"}:
            keys = keys_in(folder)
            running.target = Target(port, registry_token(keys, "pull", "push"))
            running.reader = Target(port, registry_token(keys, "pull")) if door == "pull" else None
        return running


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
    if door in {"token", "pull"}:
        realm = f"http://127.0.0.1:{port}/token"
        lines += (
            f"auth:\n  token: {{realm: '{realm}', service: bench, issuer: bench, rootcertbundle: {keys.certificate}}}\n"
        )
    return lines


def launch(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a server with its output in a file of the folder."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)


def answered(running: Running, path: bytes = b"/v2/", patience: float = START_LIMIT) -> Running:
    """Wait for the first answer; says how long it took."""
    start = time.perf_counter()
    while time.perf_counter() - start < patience:
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


def found(program: str) -> str:
    """Where a program is, the project's own tools first; "" when it is nowhere."""
    local = TOOLS / program
    return str(local) if local.exists() else (shutil.which(program) or "")


def output(*command: str, errors: bool = False) -> str:
    """What a command prints, with what it says on standard error when that is wanted too."""
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout + (done.stderr if errors else "")
