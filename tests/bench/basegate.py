"""How the bench starts basegate itself, with everything on that is on by default."""

import base64
import json
import os
import re
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tests.bench.keys import REPOSITORIES, make_keys
from tests.bench.results import commit
from tests.bench.rounds import ROOT
from tests.bench.servers import (
    DOORS,
    START_LIMIT,
    Door,
    GoRegistry,
    Running,
    Server,
    answered,
    launch,
)
from tests.bench.wire import Connection, Target
from tests.bench.zot import Zot
from tests.ports import free_port

_SECRETS = re.compile(r"^ *(admin|reader) +\S+ +(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Basegate:
    """This project's working tree.

    Attributes:
        name: what the table calls it.
        module: what is run with `serve`.
        environment: settings other than the defaults, as `BASEGATE_*`.
        doors: all of them.
        tree: another working tree, run with its own `.venv`.
        under: the command that runs it, such as a profiler's.
        patience: seconds that a start may take.
    """

    name: str
    module: str = "policy"
    environment: dict[str, str] = field(default_factory=dict)
    doors: frozenset[Door] = DOORS
    tree: Path | None = None
    under: tuple[str, ...] = ()
    patience: float = START_LIMIT

    def version(self) -> str:
        """The commit, marked when files differ from it."""
        return commit(self.tree or ROOT)

    def settings(self) -> str:
        """Every default: tokens, gate, inspection, audit, metrics, access log, durable commits; and what differs."""
        differs = ", ".join(f"{name}={value}" for name, value in self.environment.items())
        return f"python -m {self.module} serve, defaults{f' but {differs}' if differs else ''}"

    def boot(self, folder: Path, door: Door) -> Running:
        """Start it over the folder, up to its first answer."""
        port, data = free_port(), folder / "data"
        python = str(self.tree / ".venv/bin/python") if self.tree else sys.executable
        command = [
            *self.under,
            python,
            "-m",
            self.module,
            "serve",
            "--data",
            str(data),
            "--listen",
            f"127.0.0.1:{port}",
        ]
        if door == "tls":
            keys = make_keys(folder)
            command += ["--tls-cert", str(keys.certificate), "--tls-key", str(keys.key)]
        # An installed basegate has its bytecode; one that runs from a working tree must be let keep it.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"PYTHONPATH": str(self.tree or ROOT)} | self.environment
        running = Running(self.name, launch(command, folder, environment), Target(port, tls=door == "tls"))
        return answered(running, patience=self.patience)

    def start(self, folder: Path, door: Door) -> Running:
        """Start it; every row but those with the admin's secret sends a bearer token, whatever others need."""
        running = self.boot(folder, door)
        secrets = _secrets(running, folder / "log", self.patience)
        target = running.target
        admin = _basic("admin", secrets["admin"])
        running.target = Target(target.port, admin if door == "secret" else token(target, admin), target.tls)
        if door == "pull":
            running.reader = Target(target.port, token(target, _basic("reader", secrets["reader"])), target.tls)
        return running


def _secrets(running: Running, log: Path, patience: float) -> dict[str, str]:
    """The first secrets: they are printed once connections are accepted, so that they may come a moment later."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = dict(_SECRETS.findall(log.read_text(encoding="utf-8")))
        if len(found) == 2:
            return found
        time.sleep(0.01)
    running.stop()
    raise RuntimeError(f"basegate printed no secrets when it started:\n{log.read_text(encoding='utf-8')}")


def _basic(name: str, secret: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"


def token(target: Target, basic: str, repositories: Iterable[str] = REPOSITORIES) -> str:
    """A bearer credential for these repositories, of whoever `basic` signs in, with what that principal may do."""
    scopes = "&".join(f"scope={quote(f'repository:{name}:pull,push,delete')}" for name in repositories)
    with Connection(target) as wire:
        answer = wire.ask("GET", f"/oauth2/token?service=127.0.0.1&{scopes}", f"Authorization: {basic}")
    return f"Bearer {json.loads(answer.body)['access_token']}"


BASEGATE = Basegate("basegate")
SERVERS: tuple[Server, ...] = (
    BASEGATE,
    Basegate("basegate-plain", environment={"BASEGATE_SERVER__FAST": "false"}),
    Basegate("basegate-without-pages", environment={"BASEGATE_WEB__ENABLED": "false"}),
    Basegate("registry-alone", "tests.bench.registry_alone"),
    GoRegistry("distribution", "registry"),
    GoRegistry("docker-registry", "docker-registry"),
    Zot(),
)
USUAL = ("basegate", "distribution", "zot")
"""What a run measures when it names no servers; the others are asked for by name."""
