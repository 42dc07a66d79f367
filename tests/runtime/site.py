"""The runtimes of the tests and the basegate that they read from: started together, ended and unmounted together."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.clients.daemons import containerd_daemon, docker_daemon, unmount_below
from tests.policy.live import live_gateway
from tests.runtime.containerd_reader import ContainerdReader
from tests.runtime.court import Court
from tests.runtime.docker_reader import DockerReader
from tests.runtime.podman_reader import PodmanReader
from tests.runtime.reader import Reader


@contextmanager
def court() -> Iterator[Court]:
    """A court with docker, containerd and podman."""
    with short_folder() as home, runtimes(home) as readers, live_gateway(home / "basegate") as gateway:
        with Court(gateway, readers) as made:
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
    places = {name: home / name for name in ("docker", "containerd")}
    for place in places.values():
        place.mkdir()
    with docker_daemon(places["docker"]) as docker, containerd_daemon(places["containerd"]) as containerd:
        yield [
            DockerReader(docker),
            ContainerdReader(home / "ctr", containerd),
            PodmanReader(home / "o", "overlay"),
            PodmanReader(home / "v", "vfs"),
        ]
