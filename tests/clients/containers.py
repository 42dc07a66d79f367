"""podman and buildah: an engine and a builder without a daemon, which push and pull in the same words."""

from typing import ClassVar

from tests.clients.client import OwnHome
from tests.clients.layouts import Layout
from tests.clients.program import Outcome, Program

LOCAL_LIST = "localhost/list:pushed"


class Buildah(OwnHome):
    """buildah, its storage in a folder of its own, with the vfs driver: that needs no kernel support."""

    name: ClassVar[str] = "buildah"

    def _program(self) -> Program:
        policy = self.home / ".config" / "containers" / "policy.json"
        policy.parent.mkdir(parents=True, exist_ok=True)
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        folders = ("--root", str(self.home / "root"), "--runroot", str(self.home / "run"))
        options = ("--storage-driver", "vfs", *self._engine_options())
        variables = {"REGISTRY_AUTH_FILE": str(self.home / "auth.json"), **self._trusted()}
        return Program((self.name, *folders, *options), self.home, variables)

    def _engine_options(self) -> tuple[str, ...]:
        return ()

    def _trusted(self) -> dict[str, str]:
        # `podman search` knows no --cert-dir.
        return {} if self.endpoint.ca is None else {"SSL_CERT_FILE": str(self.endpoint.ca)}

    def version(self) -> str:
        """What it says its version is."""
        return self.program.run("--version").check().output.split()[2]

    def log_in(self, username: str, password: str) -> Outcome:
        """Check and keep the credentials for the registry."""
        flags = self.endpoint.containers_flags()
        return self.program.run("login", *flags, "-u", username, "--password-stdin", self.endpoint.host, text=password)

    def push(self, layout: Layout, tag: str, reference: str) -> Outcome:
        """Push the image that the layout holds under a tag."""
        image = self.program.run("pull", "--quiet", f"oci:{layout.folder}:{tag}").check().output.split()[-1]
        return self.program.run("push", *self.endpoint.containers_flags(), image, f"docker://{reference}")

    def push_index(self, layout: Layout, tag: str, reference: str) -> Outcome:
        """Push an index and the images of every platform in it."""
        self.program.run("manifest", "rm", LOCAL_LIST)
        self.program.run("manifest", "create", LOCAL_LIST).check()
        self.program.run("manifest", "add", "--all", LOCAL_LIST, f"oci:{layout.folder}:{tag}").check()
        flags = ("--all", *self.endpoint.containers_flags())
        return self.program.run("manifest", "push", *flags, LOCAL_LIST, f"docker://{reference}")

    def pull(self, reference: str) -> Outcome:
        """Fetch an image with all its layers."""
        self.program.run("rmi", "--all", "--force").check()
        return self.program.run("pull", *self.endpoint.containers_flags(), reference)


class Podman(Buildah):
    """podman; it can list tags as well."""

    name: ClassVar[str] = "podman"

    def _engine_options(self) -> tuple[str, ...]:
        return ("--cgroup-manager", "cgroupfs", "--events-backend", "file")

    def tags(self, repository: str) -> Outcome:
        """The tags of `HOST/name`, among whatever else it prints."""
        flags = self.endpoint.containers_flags() if self.endpoint.ca is None else ()
        return self.program.run("search", "--list-tags", *flags, repository)
