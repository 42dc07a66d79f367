"""How the bench starts basegate itself, with everything on that is on by default."""

import base64
import json
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.bench.keys import REPOSITORIES, make_keys
from tests.bench.results import commit
from tests.bench.servers import START_LIMIT, Door, GoRegistry, Running, Server, answered, free_port, launch
from tests.bench.wire import Connection, Target

_ADMIN = re.compile(r"^ *admin +\S+ +(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Basegate:
    """This project's working tree.

    Attributes:
        name: what the table calls it.
        fast: the setting `server.fast`.
    """

    name: str
    fast: bool = True

    def version(self) -> str:
        """The commit, marked when files differ from it."""
        return commit()

    def start(self, folder: Path, door: Door) -> Running:
        """Start it; every row but those with the admin's secret sends a bearer token, whatever others need."""
        port, data = free_port(), folder / "data"
        command = [sys.executable, "-m", "policy", "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}"]
        if door == "tls":
            keys = make_keys(folder)
            command += ["--tls-cert", str(keys.certificate), "--tls-key", str(keys.key)]
        environment = dict(os.environ) | {"BASEGATE_SERVER__FAST": str(self.fast).lower()}
        running = answered(Running(self.name, launch(command, folder, environment), Target(port, tls=door == "tls")))
        secret = _secret(running, folder / "log")
        basic = f"Basic {base64.b64encode(f'admin:{secret}'.encode()).decode()}"
        running.target = Target(port, basic if door == "secret" else _token(running.target, basic), door == "tls")
        return running


def _secret(running: Running, log: Path) -> str:
    """The admin's secret: it is printed once connections are accepted, so that it may come a moment later."""
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        found = _ADMIN.search(log.read_text(encoding="utf-8"))
        if found is not None:
            return found.group(1)
        time.sleep(0.01)
    running.stop()
    raise RuntimeError(f"basegate printed no secret of its admin when it started:\n{log.read_text(encoding='utf-8')}")


def _token(target: Target, basic: str) -> str:
    scopes = "&".join(f"scope={quote(f'repository:{name}:pull,push')}" for name in REPOSITORIES)
    with Connection(target) as wire:
        answer = wire.ask("GET", f"/oauth2/token?service=127.0.0.1&{scopes}", f"Authorization: {basic}")
    return f"Bearer {json.loads(answer.body)['access_token']}"


SERVERS: tuple[Server, ...] = (
    Basegate("basegate"),
    Basegate("basegate-plain", fast=False),
    GoRegistry("distribution", "registry"),
    GoRegistry("docker-registry", "docker-registry"),
)
USUAL = ("basegate", "distribution")
"""What a run measures when it names no servers; the others are asked for by name."""
