"""podman as a reader, without a daemon, on the overlay or the vfs driver."""

import json
import subprocess
from base64 import b64encode
from pathlib import Path

from tests.clients.program import Program
from tests.installation import Account
from tests.runtime.question import SHELL, facts_of
from tests.runtime.reader import SECONDS, Answer

# podman asks for a million of each by itself, which root is not given everywhere.
_ULIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")


class PodmanReader:
    """podman with storage of its own; its home's path must be short (50 characters)."""

    def __init__(self, home: Path, driver: str) -> None:
        self.name = f"podman {driver}"
        self._home = home
        policy = home / ".config" / "containers" / "policy.json"
        policy.parent.mkdir(parents=True)
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        folders = ("--root", str(home / "root"), "--runroot", str(home / "run"))
        options = ("--storage-driver", driver, "--cgroup-manager", "cgroupfs", "--events-backend", "none")
        self._podman = Program(("podman", *folders, *options), home)

    def ask(self, reference: str, account: Account, script: str) -> Answer:
        """Pull and run in one command."""
        options = (
            "--quiet",
            "--pull",
            "always",
            "--tls-verify=false",
            "--authfile",
            str(self._keys(reference, account)),
        )
        own = ("--rm", "--network", "none", "--log-driver", "none", "--runtime", "runc", *_ULIMITS)
        entry = ("--entrypoint", json.dumps(list(SHELL)))
        try:
            ran = self._podman.run("run", *options, *own, *entry, reference, script, seconds=SECONDS)
        except subprocess.TimeoutExpired:
            self._podman.run("rm", "--all", "--force", "--time", "0")
            return Answer(None, f"no answer within {SECONDS} seconds")
        return Answer(facts_of(ran.output), ran.output)

    def _keys(self, reference: str, account: Account) -> Path:
        file = self._home / f"{account.username}.json"
        if not file.exists():
            token = b64encode(f"{account.username}:{account.password}".encode()).decode()
            file.write_text(json.dumps({"auths": {reference.partition("/")[0]: {"auth": token}}}))
        return file

    def empty(self) -> None:
        """Remove every image."""
        self._podman.run("rmi", "--all", "--force")
