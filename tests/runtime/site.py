"""The runtimes of the tests and the basegate that they read from: started together, ended and unmounted together."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.clients.daemons import containerd_daemon, unmount_below
from tests.policy.live import live_gateway
from tests.runtime.containerd_reader import ContainerdReader
from tests.runtime.court import Court
from tests.runtime.docker_reader import DockerReader
from tests.runtime.podman_reader import PodmanReader
from tests.runtime.reader import Reader

NEWEST = Path(__file__).parents[2] / ".tools" / "containerd-2" / "bin"
"""Where `.ci/newest-containerd` puts it."""


@contextmanager
def court(*, newest: bool = False) -> Iterator[Court]:
    """A court with docker, containerd and podman.

    Args:
        newest: the newest containerd as well, if it was built.
    """
    with (
        short_folder() as home,
        runtimes(home) as readers,
        newest_containerd(home, wanted=newest and NEWEST.is_dir()) as more,
        live_gateway(home / "basegate") as gateway,
        Court(gateway, [*readers, *more]) as made,
    ):
        yield made


@contextmanager
def short_folder() -> Iterator[Path]:
    """A temporary folder with a short path, which podman needs; nothing is left mounted below it."""
    folder = Path(tempfile.mkdtemp(prefix="runtime-"))
    try:
        yield folder
    finally:
        unmount_below(folder)
        shutil.rmtree(folder)


@contextmanager
def runtimes(home: Path) -> Iterator[list[Reader]]:
    """Readers of every runtime."""
    place = home / "containerd"
    place.mkdir()
    with closing(DockerReader(home / "docker")) as engine, containerd_daemon(place) as containerd:
        yield [
            engine,
            ContainerdReader(home / "ctr", containerd),
            PodmanReader(home / "o", "overlay"),
            PodmanReader(home / "v", "vfs"),
        ]


@contextmanager
def newest_containerd(home: Path, *, wanted: bool) -> Iterator[list[Reader]]:
    """A reader of the newest containerd, which finds its own shim; nobody when it is not wanted."""
    if not wanted:
        yield []
        return
    place = home / "c2"
    place.mkdir()
    variables = {"PATH": f"{NEWEST}{os.pathsep}{os.environ['PATH']}"}
    with containerd_daemon(place, str(NEWEST / "containerd"), variables) as socket:
        yield [ContainerdReader(home / "ctr2", socket, str(NEWEST / "ctr"), "containerd 2")]
