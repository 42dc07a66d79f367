"""containerd, driven by its ctr command."""

from pathlib import Path
from typing import ClassVar

from tests.clients.client import Endpoint, OwnHome
from tests.clients.layouts import Layout
from tests.clients.program import Outcome, Program


class Containerd(OwnHome):
    """ctr against a containerd of the tests' own; it keeps no credentials, so every call names them."""

    name: ClassVar[str] = "containerd"

    def __init__(self, home: Path, endpoint: Endpoint, socket: Path) -> None:
        self._socket = socket
        self._credentials = ""
        super().__init__(home, endpoint)

    def _program(self) -> Program:
        return Program(("ctr", "--address", str(self._socket), "--namespace", self.home.name), self.home)

    def _flags(self) -> tuple[str, ...]:
        trust = ("--plain-http",) if self.endpoint.ca is None else ("--hosts-dir", str(self._hosts(self.endpoint.ca)))
        return (*trust, "--user", self._credentials) if self._credentials else trust

    def _hosts(self, ca: Path) -> Path:
        # ctr would speak plain HTTP to a loopback address, whatever CA it is given: the folder of hosts says it is TLS.
        folder = self.home / "certs.d"
        told = folder / self.endpoint.host / "hosts.toml"
        told.parent.mkdir(parents=True, exist_ok=True)
        told.write_text(f'[host."https://{self.endpoint.host}"]\n  ca = "{ca}"\n')
        return folder

    def version(self) -> str:
        """The daemon's version."""
        said = self.program.run("version").check().output.split("Server:")[1]
        return said.split("Version:")[1].split()[0]

    def log_in(self, username: str, password: str) -> Outcome:
        """Remember the credentials; an image that does not exist is asked for, to see whether they are taken."""
        self._credentials = f"{username}:{password}"
        asked = self.program.run("images", "pull", *self._flags(), f"{self.endpoint.host}/nobody/nothing:v1")
        taken = "not found" in asked.output or "http.StatusNotFound" in asked.output
        return Outcome(asked.command, 0 if taken else 1, asked.output)

    def push(self, layout: Layout, tag: str, reference: str) -> Outcome:
        """Import the layout, and push from there."""
        archive = layout.archive(tag, self.home, reference)
        self.program.run("images", "import", "--no-unpack", "--all-platforms", str(archive)).check()
        return self.program.run("images", "push", *self._flags(), reference)

    push_index = push

    def pull(self, reference: str) -> Outcome:
        """Fetch an image with all its layers, for every platform, into an empty content store."""
        held = self.program.run("images", "ls", "--quiet").check().output.split()
        if held:
            self.program.run("images", "rm", "--sync", *held).check()
        return self.program.run(
            "images", "pull", "--all-platforms", "--snapshotter", "native", *self._flags(), reference
        )
