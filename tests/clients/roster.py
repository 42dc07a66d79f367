"""Every client program that is tried: how it is made, what must be installed, and where its daemon comes from."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.clients.client import Client, Endpoint
from tests.clients.containerd import Containerd
from tests.clients.containers import Buildah, Podman
from tests.clients.crane import Crane
from tests.clients.daemons import containerd_daemon, docker_daemon
from tests.clients.docker import Docker
from tests.clients.oras import Oras
from tests.clients.regctl import Regctl
from tests.clients.skopeo import Skopeo


class Daemons:
    """The daemons of this test process; each is started when it is first asked for."""

    def __init__(self, folder: Path, until: ExitStack) -> None:
        self._folder = folder
        self._until = until
        self._sockets: dict[str, Path] = {}

    def socket(self, name: str) -> Path:
        """The socket of `docker` or `containerd`."""
        if name not in self._sockets:
            folder = self._folder / name
            folder.mkdir()
            start = docker_daemon if name == "docker" else containerd_daemon
            self._sockets[name] = self._until.enter_context(start(folder))
        return self._sockets[name]


@dataclass(frozen=True)
class Entry:
    """One line of the roster.

    Attributes:
        name: the table's column.
        programs: what must be installed.
        needs_root: whether it works for root only.
        make: makes a client in its home.
        abilities: which of the operations that not every client knows it has.
        shows_reasons: whether it shows why a pull was refused; containerd 1 asks with HEAD, whose answer has no body.
        shows_push_reasons: whether it shows why a push was refused, and not only that it was.
    """

    name: str
    programs: tuple[str, ...]
    needs_root: bool
    make: Callable[[Path, Endpoint, Daemons], Client]
    abilities: tuple[str, ...] = ()
    shows_reasons: bool = True
    shows_push_reasons: bool = True

    def parameter(self) -> ParameterSet:
        """This entry as a pytest parameter; everything of one client runs in one process, with one daemon."""
        marks = [pytest.mark.client(*self.programs), pytest.mark.xdist_group(self.name)]
        return pytest.param(self, id=self.name, marks=[*marks, pytest.mark.root] if self.needs_root else marks)


def _with_daemon(kind: type[Docker] | type[Containerd], name: str) -> Callable[[Path, Endpoint, Daemons], Client]:
    return lambda home, endpoint, daemons: kind(home, endpoint, daemons.socket(name))


def _alone(
    kind: type[Skopeo | Buildah | Podman | Crane | Oras | Regctl],
) -> Callable[[Path, Endpoint, Daemons], Client]:
    return lambda home, endpoint, _: kind(home, endpoint)


ROSTER = (
    Entry("docker", ("docker", "dockerd"), True, _with_daemon(Docker, "docker"), ("push_index",)),
    Entry("podman", ("podman",), True, _alone(Podman), ("push_index", "tags")),
    Entry("skopeo", ("skopeo",), False, _alone(Skopeo), ("push_index", "tags", "delete")),
    Entry("buildah", ("buildah",), True, _alone(Buildah), ("push_index",)),
    Entry(
        "containerd",
        ("containerd", "ctr"),
        True,
        _with_daemon(Containerd, "containerd"),
        ("push_index",),
        shows_reasons=False,
        shows_push_reasons=False,
    ),
    Entry("crane", ("crane",), False, _alone(Crane), ("push_index", "tags", "delete")),
    Entry("oras", ("oras",), False, _alone(Oras), ("push_index", "tags", "delete", "attach")),
    Entry(
        "regctl",
        ("regctl",),
        False,
        _alone(Regctl),
        ("push_index", "tags", "delete", "attach"),
        shows_push_reasons=False,
    ),
)


def every(ability: str = "") -> list[ParameterSet]:
    """The clients that can do something, as parameters; all of them when nothing is named."""
    return [entry.parameter() for entry in ROSTER if not ability or ability in entry.abilities]
