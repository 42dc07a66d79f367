"""How the bench starts zot, where a program of that name is on PATH or among the project's tools."""

import json
from dataclasses import dataclass
from pathlib import Path

from tests.bench.keys import make_keys
from tests.bench.servers import (
    Door,
    Running,
    answered,
    found,
    launch,
    output,
)
from tests.bench.wire import Target
from tests.ports import free_port


@dataclass(frozen=True, slots=True)
class Zot:
    """zot on its local file system, durable as basegate is, without what would do other work meanwhile.

    Attributes:
        name: what the table calls it.
        program: its name, or where it is.
        doors: all but those with tokens.
    """

    name: str = "zot"
    program: str = "zot"
    doors: frozenset[Door] = frozenset({"open", "secret", "tls"})

    def version(self) -> str:
        """The commit or release it was built from; "" where there is no such program."""
        path = found(self.program)
        if not path:
            return ""
        told = output(path, "--version", errors=True).strip().splitlines()
        return _version(told[-1]) if told else "unknown version"

    def settings(self) -> str:
        """What differs from its defaults, and what bears on the figures."""
        return "commit true (it syncs what it stores), dedupe false, gc false, no extensions, log level error"

    def boot(self, folder: Path, door: Door) -> Running:
        """Start it over the folder, without sign-in."""
        port = free_port()
        settings = folder / "config.json"
        settings.write_text(json.dumps(configuration(folder, port, door)), encoding="utf-8")
        process = launch([found(self.program), "serve", str(settings)], folder)
        return answered(Running(self.name, process, Target(port, tls=door == "tls")))

    def start(self, folder: Path, door: Door) -> Running:
        """It needs nothing but to run."""
        return self.boot(folder, door)


def _version(line: str) -> str:
    """What counts of a line of its log; the time does not."""
    try:
        told = json.loads(line)
        return f"{told['commit']} {told['binary-type']}"
    except (ValueError, KeyError, TypeError):
        return line


def configuration(folder: Path, port: int, door: Door) -> dict[str, object]:
    """Its settings file (zot's documentation, "Configuring zot")."""
    http: dict[str, object] = {"address": "127.0.0.1", "port": str(port), "realm": "bench"}
    if door == "tls":
        keys = make_keys(folder)
        http["tls"] = {"cert": str(keys.certificate), "key": str(keys.key)}
    storage = {"rootDirectory": str(folder / "data"), "dedupe": False, "gc": False, "commit": True}
    return {"distSpecVersion": "1.1.1", "storage": storage, "http": http, "log": {"level": "error"}}
