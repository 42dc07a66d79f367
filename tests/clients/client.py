"""What the tests ask of a client program, whichever it is: each program's file says it in that program's words."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from tests.clients.layouts import Layout
from tests.clients.program import Outcome, Program


@dataclass(frozen=True)
class Endpoint:
    """Where the registry is reached.

    Attributes:
        host: `address:port`.
        ca: the certificate authority to trust; None over plain HTTP.
    """

    host: str
    ca: Path | None

    def containers_flags(self) -> tuple[str, ...]:
        """How skopeo, podman and buildah are told so: a folder of `*.crt`, or no TLS."""
        return ("--tls-verify=false",) if self.ca is None else ("--cert-dir", str(self.ca.parent))


class Client(Protocol):
    """A client program with its own home, storage and credentials.

    `push` and `pull` leave nothing behind that would spare the next call a transfer. References are `HOST/name:tag` or
    `HOST/name@digest`.
    """

    name: ClassVar[str]
    endpoint: Endpoint

    def version(self) -> str:
        """What it says its version is."""
        ...

    def log_in(self, username: str, password: str) -> Outcome:
        """Check and keep the credentials for the registry."""
        ...

    def push(self, layout: Layout, tag: str, reference: str) -> Outcome:
        """Push the image that the layout holds under a tag."""
        ...

    def pull(self, reference: str) -> Outcome:
        """Fetch an image with all its layers."""
        ...


class Indexes(Client, Protocol):
    """A client that can push a multi-platform image."""

    def push_index(self, layout: Layout, tag: str, reference: str) -> Outcome:
        """Push an index and the images of every platform in it."""
        ...


class Lists(Client, Protocol):
    """A client that can list tags."""

    def tags(self, repository: str) -> Outcome:
        """The tags of `HOST/name`, among whatever else it prints."""
        ...


class Deletes(Client, Protocol):
    """A client that can delete."""

    def delete(self, reference: str) -> Outcome:
        """Delete a manifest by its digest."""
        ...


class Attaches(Client, Protocol):
    """A client that knows referrers."""

    def attach(self, reference: str, artifact_type: str, file: Path) -> Outcome:
        """Push an artifact whose subject is the reference."""
        ...

    def referrers(self, reference: str) -> Outcome:
        """What refers to the reference, artifact types among it."""
        ...


class OwnHome:
    """A client's own folder and the program that is always run with it."""

    def __init__(self, home: Path, endpoint: Endpoint) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.endpoint = endpoint
        self.program = self._program()

    def _program(self) -> Program:
        raise NotImplementedError
