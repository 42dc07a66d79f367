"""The docker command and its engine."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from tests.clients.client import Endpoint, OwnHome
from tests.clients.layouts import Layout
from tests.clients.program import Outcome, Program
from tests.clients.tunnel import ELSEWHERE, tunnel


class Docker(OwnHome):
    """docker against an engine of the tests' own.

    The engine takes 127.0.0.0/8 for insecure registries by itself: it tries TLS, unverified, then plain HTTP.
    """

    name: ClassVar[str] = "docker"

    def __init__(self, home: Path, endpoint: Endpoint, socket: Path) -> None:
        self._socket = socket
        super().__init__(home, endpoint)

    def _program(self) -> Program:
        flags = ("--config", str(self.home), "--host", f"unix://{self._socket}")
        variables = {} if self.endpoint.ca is None else {"SSL_CERT_FILE": str(self.endpoint.ca)}
        return Program(("docker", *flags), self.home, variables)

    def version(self) -> str:
        """The engine's version."""
        return self.program.run("version", "--format", "{{.Server.Version}}").check().output.strip()

    def log_in(self, username: str, password: str) -> Outcome:
        """Check and keep the credentials for the registry."""
        return self.program.run("login", "-u", username, "--password-stdin", self.endpoint.host, text=password)

    def push(self, layout: Layout, tag: str, reference: str) -> Outcome:
        """Load the image into the engine, and push it from there."""
        archive = self.home / "load.tar"
        layout.write_docker_archive(tag, archive, reference)
        self.program.run("load", "--input", str(archive)).check()
        return self.program.run("push", reference)

    def push_index(self, layout: Layout, tag: str, reference: str) -> Outcome:
        """Push the images of every platform, then a manifest list of them."""
        children = []
        for architecture in layout.architectures(tag):
            child = f"{reference}-{architecture}"
            archive = self.home / "load.tar"
            layout.write_docker_archive(tag, archive, child, architecture)
            self.program.run("load", "--input", str(archive)).check()
            self.program.run("push", child).check()
            children.append(child)
        if self.endpoint.ca is None:
            return self._push_list(reference, children, "--insecure")
        # To loopback addresses `docker manifest` always speaks plain HTTP; to others TLS, with a certificate to trust.
        host = f"{ELSEWHERE}:{self.endpoint.host.rpartition(':')[2]}"
        self._know_also_as(host)
        names = [name.replace(self.endpoint.host, host, 1) for name in (reference, *children)]
        with tunnel(self.endpoint.host) as proxy:
            self.program.environment["HTTPS_PROXY"] = proxy
            return self._push_list(names[0], names[1:])

    def _push_list(self, reference: str, children: Sequence[str], *flags: str) -> Outcome:
        self.program.run("manifest", "create", *flags, reference, *children).check()
        return self.program.run("manifest", "push", *flags, "--purge", reference)

    def _know_also_as(self, host: str) -> None:
        """Use the credentials that were kept for the registry under another name of it."""
        file = self.home / "config.json"
        document = json.loads(file.read_text(encoding="utf-8"))
        document["auths"][host] = document["auths"][self.endpoint.host]
        file.write_text(json.dumps(document), encoding="utf-8")

    def pull(self, reference: str) -> Outcome:
        """Fetch an image with all its layers, into an engine that holds no image."""
        self.program.run("image", "prune", "--all", "--force").check()
        return self.program.run("pull", reference)
