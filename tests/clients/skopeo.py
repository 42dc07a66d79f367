"""skopeo: copies images from one place to another, without a daemon."""

import shutil
from typing import ClassVar

from tests.clients.client import OwnHome
from tests.clients.layouts import Layout
from tests.clients.program import Outcome, Program


class Skopeo(OwnHome):
    """skopeo, its credentials in a file of its own."""

    name: ClassVar[str] = "skopeo"

    def _program(self) -> Program:
        return Program(("skopeo", "--insecure-policy"), self.home, {"REGISTRY_AUTH_FILE": str(self.home / "auth.json")})

    def _trust(self, side: str) -> tuple[str, ...]:
        flag, *value = self.endpoint.containers_flags()
        return (flag.replace("--", f"--{side}", 1), *value)

    def version(self) -> str:
        """What it says its version is."""
        return self.program.run("--version").check().output.split()[-1]

    def log_in(self, username: str, password: str) -> Outcome:
        """Check and keep the credentials for the registry."""
        flags = self.endpoint.containers_flags()
        return self.program.run("login", *flags, "-u", username, "--password-stdin", self.endpoint.host, text=password)

    def push(self, layout: Layout, tag: str, reference: str) -> Outcome:
        """Push the image that the layout holds under a tag."""
        return self.program.run("copy", *self._trust("dest-"), f"oci:{layout.folder}:{tag}", f"docker://{reference}")

    def push_index(self, layout: Layout, tag: str, reference: str) -> Outcome:
        """Push an index and the images of every platform in it."""
        source = f"oci:{layout.folder}:{tag}"
        return self.program.run("copy", "--all", *self._trust("dest-"), source, f"docker://{reference}")

    def pull(self, reference: str) -> Outcome:
        """Fetch an image with all its layers."""
        shutil.rmtree(self.home / "pulled", ignore_errors=True)
        target = f"dir:{self.home / 'pulled'}"
        return self.program.run("copy", *self._trust("src-"), f"docker://{reference}", target)

    def tags(self, repository: str) -> Outcome:
        """The tags of `HOST/name`, among whatever else it prints."""
        return self.program.run("list-tags", *self.endpoint.containers_flags(), f"docker://{repository}")

    def delete(self, reference: str) -> Outcome:
        """Delete a manifest by its digest."""
        return self.program.run("delete", *self.endpoint.containers_flags(), f"docker://{reference}")
