"""regctl: the command of regclient, for images, artifacts and whole registries."""

from pathlib import Path
from typing import ClassVar

from tests.clients.client import OwnHome
from tests.clients.layouts import Layout
from tests.clients.program import Outcome, Program


class Regctl(OwnHome):
    """regctl with a configuration file of its own."""

    name: ClassVar[str] = "regctl"

    def _program(self) -> Program:
        return Program(("regctl",), self.home, {"REGCTL_CONFIG": str(self.home / "regctl.json")})

    def version(self) -> str:
        """What it says its version is."""
        return self.program.run("version", "--format", "{{.VCSTag}}").check().output.strip().removeprefix("v")

    def log_in(self, username: str, password: str) -> Outcome:
        """Check and keep the credentials for the registry."""
        host, ca = self.endpoint.host, self.endpoint.ca
        trust = ("--tls", "disabled") if ca is None else ("--cacert", ca.read_text())
        self.program.run("registry", "set", "--skip-check", *trust, host).check()
        return self.program.run("registry", "login", host, "-u", username, "--pass-stdin", text=password)

    def push(self, layout: Layout, tag: str, reference: str) -> Outcome:
        """Push the image that the layout holds under a tag."""
        return self.program.run("image", "copy", f"ocidir://{layout.folder}:{tag}", reference)

    push_index = push

    def pull(self, reference: str) -> Outcome:
        """Fetch an image with all its layers, into a new layout."""
        target = self.home / f"pulled-{len(list(self.home.glob('pulled-*')))}"
        return self.program.run("image", "copy", reference, f"ocidir://{target}:it")

    def tags(self, repository: str) -> Outcome:
        """The tags of `HOST/name`, among whatever else it prints."""
        return self.program.run("tag", "ls", repository)

    def delete(self, reference: str) -> Outcome:
        """Delete a manifest by its digest."""
        return self.program.run("manifest", "delete", reference)

    def attach(self, reference: str, artifact_type: str, file: Path) -> Outcome:
        """Push an artifact whose subject is the reference."""
        flags = ("--artifact-type", artifact_type, "--file", str(file))
        return self.program.run("artifact", "put", *flags, "--subject", reference)

    def referrers(self, reference: str) -> Outcome:
        """What refers to the reference, artifact types among it."""
        return self.program.run("artifact", "list", reference)
