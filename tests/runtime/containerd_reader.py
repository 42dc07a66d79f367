"""containerd as a reader, driven by its ctr command, on the overlayfs snapshotter."""

import itertools
import secrets
import subprocess
from pathlib import Path

from tests.clients.program import Program
from tests.installation import Account
from tests.runtime.question import SHELL, facts_of
from tests.runtime.reader import SECONDS, Answer

_SNAPSHOTTER = ("--snapshotter", "overlayfs")


class ContainerdReader:
    """A containerd behind its socket."""

    def __init__(self, home: Path, socket: Path, command: str = "ctr", name: str = "containerd") -> None:
        self.name = name
        home.mkdir(parents=True, exist_ok=True)
        self._ctr = Program((command, "--address", str(socket)), home)
        # runc keeps the containers of all containerds of a machine in one folder.
        self._names = (f"{secrets.token_hex(6)}-{number}" for number in itertools.count())
        self._images: list[str] = []

    def ask(self, reference: str, account: Account, script: str) -> Answer:
        """Pull, then run and remove."""
        user = f"{account.username}:{account.password}"
        pulled = self._ctr.run("images", "pull", "--plain-http", "--user", user, *_SNAPSHOTTER, reference)
        if not pulled.ok:
            return Answer(None, pulled.output)
        self._images.append(reference)
        return self._run(reference, next(self._names), script)

    def _run(self, reference: str, name: str, script: str) -> Answer:
        try:
            ran = self._ctr.run("run", "--rm", *_SNAPSHOTTER, reference, name, *SHELL, script, seconds=SECONDS)
        except subprocess.TimeoutExpired:
            self._ctr.run("tasks", "kill", "--signal", "SIGKILL", name)
            self._ctr.run("containers", "delete", name)
            return Answer(None, f"no answer within {SECONDS} seconds")
        return Answer(facts_of(ran.output), ran.output)

    def empty(self) -> None:
        """Remove every image that was pulled."""
        if self._images:
            self._ctr.run("images", "rm", *self._images)
        self._images.clear()
