"""An installed basegate as a person runs it: the command, a data folder, and the server in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.server_process import READY, Serving, started

COMMAND = (str(Path(sys.executable).with_name("basegate")),)


@dataclass(frozen=True)
class Account:
    """A service principal's way in."""

    username: str
    password: str


@dataclass(frozen=True)
class Installation:
    """One data folder and the command that works on it.

    Attributes:
        data: the data folder.
        variables: settings, as `BASEGATE_*` environment variables.
    """

    data: Path
    variables: Mapping[str, str]

    def run(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run `basegate` with these arguments to its end; standard output and error stay apart."""
        environment = {**os.environ, **self.variables}
        command = (*COMMAND, *arguments)
        return subprocess.run(
            command, input=text, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def create_principal(self, name: str, role: str, *more: str) -> Account:
        """Create a service principal, in a registry that is made when there is none; its name and first secret."""
        if not any((self.data / name).exists() for name in ("registry.db", "rows.json")):
            made = self.run("init", "--data", str(self.data))
            assert made.returncode == 0, made.stderr
        done = self.run("principal", "create", name, "--role", role, *more, "--data", str(self.data), "--json")
        assert done.returncode == 0, done.stderr
        return Account(name, json.loads(done.stdout)["secrets"][0]["value"])

    @contextmanager
    def serving(
        self, *flags: str, host: str = "127.0.0.1:0", ahead: float = 0.0, patience: float = 60.0
    ) -> Iterator[Serving]:
        """Run the server on a loopback port until the block ends; yields it once it is ready.

        Args:
            flags: more flags of `serve`.
            host: where it listens; a free port when nothing is said.
            ahead: seconds that its clock is ahead.
            patience: seconds that its start may take.
        """
        program = (sys.executable, "-m", "tests.ahead", str(ahead)) if ahead else COMMAND
        command = (*program, "serve", "--data", str(self.data), "--listen", host, *flags)
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with started(command, self.data.parent / "serve.log", self.variables) as running:
            running.wait_for(READY, patience)
            yield running

    @contextmanager
    def serve(self, *flags: str, host: str = "127.0.0.1:0", ahead: float = 0.0) -> Iterator[str]:
        """The same; yields `address:port`."""
        with self.serving(*flags, host=host, ahead=ahead) as running:
            yield running.host
