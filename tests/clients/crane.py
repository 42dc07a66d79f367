"""crane: a registry client without storage (go-containerregistry)."""

from pathlib import Path
from typing import ClassVar

from tests.clients.client import OwnHome
from tests.clients.layouts import Layout
from tests.clients.program import Outcome, Program


class Crane(OwnHome):
    """crane; it takes loopback addresses for plain HTTP unless they answer over TLS."""

    name: ClassVar[str] = "crane"

    def _program(self) -> Program:
        variables = {"DOCKER_CONFIG": str(self.home)}
        if self.endpoint.ca is not None:
            variables["SSL_CERT_FILE"] = str(self.endpoint.ca)
        return Program(("crane",), self.home, variables)

    def version(self) -> str:
        """What it says its version is."""
        return self.program.run("version").check().output.strip().removeprefix("v")

    def log_in(self, username: str, password: str) -> Outcome:
        """Keep the credentials for the registry, and use them once: crane itself checks nothing."""
        self.program.run("auth", "login", self.endpoint.host, "-u", username, "--password-stdin", text=password).check()
        return self.program.run("catalog", self.endpoint.host)

    def push(self, layout: Layout, tag: str, reference: str) -> Outcome:
        """Push the image that the layout holds under a tag."""
        return self.program.run("push", str(layout.alone(tag, self.home)), reference)

    def push_index(self, layout: Layout, tag: str, reference: str) -> Outcome:
        """Push an index and the images of every platform in it."""
        return self.program.run("push", "--index", str(layout.opened(tag, self.home)), reference)

    def pull(self, reference: str) -> Outcome:
        """Fetch an image with all its layers."""
        target: Path = self.home / "pulled.tar"
        target.unlink(missing_ok=True)
        return self.program.run("pull", "--platform", "linux/amd64", reference, str(target))

    def tags(self, repository: str) -> Outcome:
        """The tags of `HOST/name`, among whatever else it prints."""
        return self.program.run("ls", repository)

    def delete(self, reference: str) -> Outcome:
        """Delete a manifest by its digest."""
        return self.program.run("delete", reference)
