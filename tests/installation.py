"""An installed basegate as a person runs it: the command, a data folder, and the server in a process of its own."""

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

COMMAND = (str(Path(sys.executable).with_name("basegate")),)
READY_SECONDS = 60


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
        if not (self.data / "registry.db").exists():
            made = self.run("init", "--data", str(self.data))
            assert made.returncode == 0, made.stderr
        done = self.run("principal", "create", name, "--role", role, *more, "--data", str(self.data), "--json")
        assert done.returncode == 0, done.stderr
        return Account(name, json.loads(done.stdout)["secrets"][0]["value"])

    @property
    def _log(self) -> Path:
        return self.data.parent / "serve.log"

    def words(self, awaited: str = "") -> str:
        """What the server that was started last has printed so far, its log among it; waits for awaited words."""
        deadline = time.monotonic() + READY_SECONDS
        while awaited not in (said := self._log.read_text(encoding="utf-8")):
            assert time.monotonic() < deadline, f"the server printed only: {said}"
            time.sleep(0.05)
        return said

    @contextmanager
    def serve(self, *flags: str, ca: Path | None = None, host: str = "", ahead: float = 0.0) -> Iterator[str]:
        """Run the server on a loopback port until the block ends; yields `address:port` once `/v2/` answers.

        Args:
            flags: more flags of `serve`.
            ca: what its certificate is trusted by.
            host: where it listens; a free port when empty.
            ahead: seconds that its clock is ahead.
        """
        host = host or f"127.0.0.1:{free_port()}"
        program = (sys.executable, "-m", "tests.ahead", str(ahead)) if ahead else COMMAND
        command = (*program, "serve", "--data", str(self.data), "--listen", host, *flags)
        self.data.parent.mkdir(parents=True, exist_ok=True)
        log = self._log
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, env={**os.environ, **self.variables}, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        try:
            _wait_until_ready(process, host, ca, log)
            yield host
        finally:
            process.terminate()
            process.wait(timeout=60)


def free_port() -> int:
    """A loopback port that nothing listened on a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], host: str, ca: Path | None, log: Path) -> None:
    url = f"{'http' if ca is None else 'https'}://{host}/v2/"
    deadline = time.monotonic() + READY_SECONDS
    with httpx.Client(verify=_trust(ca), trust_env=False) as client:
        while True:
            try:
                client.get(url)
            except httpx.TransportError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"no server on {host}: {error}; {log.read_text()[-3000:]}") from error
                time.sleep(0.05)
            else:
                return


def _trust(ca: Path | None) -> bool | ssl.SSLContext:
    return False if ca is None else ssl.create_default_context(cafile=ca)
