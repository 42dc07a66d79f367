"""oras: a client for artifacts of every kind."""

from pathlib import Path
from typing import ClassVar

from tests.clients.client import OwnHome
from tests.clients.layouts import Layout
from tests.clients.program import Outcome, Program


class Oras(OwnHome):
    """oras, its credentials in a file of its own."""

    name: ClassVar[str] = "oras"

    def _program(self) -> Program:
        return Program(("oras",), self.home, {"DOCKER_CONFIG": str(self.home)})

    def _trust(self, side: str = "") -> tuple[str, ...]:
        ca = self.endpoint.ca
        return (f"--{side}plain-http",) if ca is None else (f"--{side}ca-file", str(ca))

    def version(self) -> str:
        """What it says its version is."""
        return self.program.run("version").check().output.split()[1]

    def log_in(self, username: str, password: str) -> Outcome:
        """Check and keep the credentials for the registry."""
        flags = ("-u", username, "--password-stdin")
        return self.program.run("login", *self._trust(), *flags, self.endpoint.host, text=password)

    def push(self, layout: Layout, tag: str, reference: str) -> Outcome:
        """Push the image that the layout holds under a tag."""
        source = f"{layout.folder}:{tag}"
        return self.program.run("cp", "--no-tty", "--from-oci-layout", source, *self._trust("to-"), reference)

    push_index = push

    def pull(self, reference: str) -> Outcome:
        """Fetch an image with all its layers, into a new layout."""
        target = self.home / f"pulled-{len(list(self.home.glob('pulled-*')))}"
        return self.program.run("cp", "--no-tty", *self._trust("from-"), reference, "--to-oci-layout", f"{target}:it")

    def tags(self, repository: str) -> Outcome:
        """The tags of `HOST/name`, among whatever else it prints."""
        return self.program.run("repo", "tags", *self._trust(), repository)

    def delete(self, reference: str) -> Outcome:
        """Delete a manifest by its digest."""
        return self.program.run("manifest", "delete", "--force", *self._trust(), reference)

    def attach(self, reference: str, artifact_type: str, file: Path) -> Outcome:
        """Push an artifact whose subject is the reference."""
        flags = ("--no-tty", "--disable-path-validation", "--artifact-type", artifact_type, *self._trust())
        return self.program.run("attach", *flags, reference, str(file))

    def referrers(self, reference: str) -> Outcome:
        """What refers to the reference, artifact types among it."""
        return self.program.run("discover", *self._trust(), reference)
