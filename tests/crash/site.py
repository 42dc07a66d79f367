"""A live server over a data folder, with commands beside it, all of which the preloaded library watches."""

import json
import os
import random
import re
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

from tests.crash.acknowledged import Acknowledged, Findings
from tests.crash.caller import Caller
from tests.crash.control import Control, Fault
from tests.crash.launcher import Launcher
from tests.crash.notes import read_notes
from tests.crash.power import Disk, Loss
from tests.crash.wire import CutOff, Wire

SETTINGS = """\
auth: {required: false}
operations: {watch: false}
log: {level: error, access: false}
storage: {reserve_bytes: 65536, threads: 4}
gc: {grace_seconds: 0}
retention: {rules: [{else: delete, keep: [{tags: ["[!e]*"]}]}]}
"""
_START_SECONDS = 60
_LISTENING = re.compile(r"ready at http://127\.0\.0\.1:(\d+)")


class NoStart(Exception):
    """The server does not start.

    Attributes:
        code: with what it has ended; 0: not at all.
    """

    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"the server ended with {code}: {said}" if code else f"the server does not listen: {said}")
        self.code = code


class Site:
    """One folder: `data` in it is the registry's, `backup` that of backups.

    Args:
        folder: new, or with a data folder in it.
        launcher: starts the processes.
        mutant: the fault that was put into the product, or none.

    Attributes:
        known: what was acknowledged.
        found: what is wrong.
    """

    def __init__(self, folder: Path, launcher: Launcher, mutant: str = "") -> None:
        self.root = folder / "root"
        self.data = self.root / "data"
        self.root.mkdir(exist_ok=True)
        self.control = Control(folder / "control")
        self.known = Acknowledged()
        self.found = Findings()
        self.disk: Disk | None = None
        self.settings = folder / "settings.yaml"
        self.settings.write_text(SETTINGS)
        self._output, self._said = folder / "output", folder / "said"
        self._launcher = launcher
        self._mutant = mutant
        self._pid = 0
        self._port = 0
        self._callers = 0
        self._wires: list[Wire] = []

    def start(self, fault: Fault | None = None) -> None:
        """Start the server; with a fault, it may have ended before it listens.

        Raises:
            CutOff: the fault has killed it.
            NoStart: it has ended by itself.
        """
        self.control.arm(fault or Fault())
        self._output.unlink(missing_ok=True)
        self._pid = self._launch(
            "serve", "--config", str(self.settings), "--listen", "127.0.0.1:0", output=self._output
        )
        deadline = time.monotonic() + _START_SECONDS
        while not (found := _LISTENING.search(self.words)):
            if not self.lives:
                code, self._pid = self._launcher.wait(self._pid), 0
                if code == -signal.SIGKILL:
                    raise CutOff("killed while it started")
                raise NoStart(code, self.words[-600:])
            if time.monotonic() > deadline:
                raise NoStart(0, self.words[-600:])
            time.sleep(0.003)
        self._port = int(found[1])

    def kill(self) -> None:
        """SIGKILL, whatever it does."""
        self._hang_up()
        if self._pid:
            self._signal(signal.SIGKILL)
            self._launcher.wait(self._pid)
            self._pid = 0

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._pid, "no server runs: signals to process 0 go to the whole group"
        self._hang_up()
        self._signal(signal.SIGTERM)
        pid, self._pid = self._pid, 0
        return self._launcher.wait(pid)

    def watch_disk(self) -> None:
        """Note every change from now on, so that the power can fail; before a start."""
        self.disk = Disk(self.root)
        self.control.note(on=True)

    def cut_power(self, loss: Loss, seed: int) -> None:
        """What was not synced since `watch_disk` is lost; no process may be running."""
        assert self.disk is not None
        self.disk.follow(read_notes(self.control.notes))
        self.disk.fail(loss, random.Random(seed))  # noqa: S311
        self.unwatch()

    def unwatch(self) -> None:
        """Note nothing any more."""
        self.disk = None
        self.control.note(on=False)

    def command(self, *arguments: str) -> int:
        """Start a command beside the server; the number of its process."""
        self._said.unlink(missing_ok=True)
        return self._launch(*arguments, output=self._said)

    def ended(self, pid: int) -> int:
        """The exit code of a command."""
        return self._launcher.wait(pid)

    def run(self, *arguments: str) -> int:
        """A command to its end."""
        return self.ended(self.command(*arguments))

    @property
    def said(self) -> str:
        """What the last command has printed."""
        return self._said.read_text(errors="replace") if self._said.exists() else ""

    def check(self) -> None:
        """Ask the server for everything that was acknowledged."""
        principals: dict[str, str] = {}
        if any(kind == "principal" for kind, _, _ in self.known.allowed):
            code = self.run("principal", "list", "--json")
            if code:
                self.found.other.append(f"principal list ended with {code}: {self.said[-300:]}")
            else:
                listed, _ = json.JSONDecoder().raw_decode(self.said)
                principals = {item["name"]: "enabled" if item["enabled"] else "disabled" for item in listed}
        wire = Wire(self._port)
        self.known.check(wire, principals, self.found)
        wire.close()

    def caller(self, repository: str) -> Caller:
        """A new client."""
        self._callers += 1
        self._wires.append(wire := Wire(self._port))
        return Caller(wire, self.known, repository, f"{self.root.parent.name} {self._callers}")

    @property
    def lives(self) -> bool:
        """Whether the server runs."""
        return bool(self._pid) and Path(f"/proc/{self._pid}").exists()

    @property
    def words(self) -> str:
        """What was printed since the last start."""
        return self._output.read_text(errors="replace") if self._output.exists() else ""

    def remove(self) -> None:
        """End the server and remove the folder."""
        self.kill()
        shutil.rmtree(self.root.parent, ignore_errors=True)

    def _hang_up(self) -> None:
        for wire in self._wires:
            wire.close()
        self._wires.clear()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, number)

    def _launch(self, *arguments: str, output: Path) -> int:
        return self._launcher.start(
            [*arguments, "--data", str(self.data)],
            control=str(self.control.path),
            root=str(self.root),
            output=str(output),
            mutant=self._mutant,
        )
