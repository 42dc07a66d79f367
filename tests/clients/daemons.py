"""The docker and containerd daemons of the tests: own folders, own sockets, stopped by process id."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

READY_SECONDS = 60


@contextmanager
def daemon(command: list[str], socket: Path, log: Path, variables: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a daemon until the block ends.

    It is the leader of its own process group: what it started and left behind is ended with it.

    Raises:
        RuntimeError: the socket did not appear; the text holds the end of the daemon's log.
    """
    with log.open("wb") as output:
        environment = {**os.environ, **(variables or {})}
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, start_new_session=True)
    try:
        _wait_for(socket, process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _end_group(process.pid)
        unmount_below(socket.parent)


def _wait_for(socket: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not socket.is_socket():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} is not ready: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)


def _end_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def unmount_below(folder: Path) -> None:
    """Let go of what a daemon left mounted below its folder: docker leaves a network namespace."""
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for point in sorted((point for point in points if point.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", point], check=False)


@contextmanager
def docker_daemon(folder: Path, *options: str) -> Iterator[Path]:
    """A docker daemon without bridge and firewall rules; yields its socket.

    Its sockets are in a folder with a short name: that of a socket has 107 bytes at most (unix(7)).

    Args:
        folder: of its own.
        options: more for its command line.
    """
    with TemporaryDirectory(prefix="docker-") as short:
        socket = Path(short) / "docker.sock"
        command = [
            "dockerd",
            *("--data-root", str(folder / "data"), "--exec-root", f"{short}/exec"),
            *("--pidfile", str(folder / "docker.pid"), "--host", f"unix://{socket}"),
            *("--config-file", "", "--bridge", "none", "--iptables=false", "--ip6tables=false"),
            # A second try hides what the first was told; the tests want the first answer.
            *("--max-download-attempts", "3", "--log-level", "warn"),
            *options,
        ]
        try:
            with daemon(command, socket, folder / "dockerd.log"):
                yield socket
        finally:
            unmount_below(folder)


@contextmanager
def containerd_daemon(
    folder: Path, program: str = "containerd", variables: Mapping[str, str] | None = None
) -> Iterator[Path]:
    """A containerd with the native and the overlayfs snapshotter; yields its socket."""
    socket = folder / "containerd.sock"
    settings = folder / "containerd.toml"
    settings.write_text(
        f'version = 2\nroot = "{folder}/root"\nstate = "{folder}/state"\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs",'
        ' "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",'
        ' "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt"]\n'
        # Else what one client of this daemon pushed would spare the next one's pull.
        '[plugins."io.containerd.metadata.v1.bolt"]\ncontent_sharing_policy = "isolated"\n'
        f'[grpc]\naddress = "{socket}"\n[ttrpc]\naddress = "{folder}/ttrpc.sock"\n'
    )
    with daemon([program, "--config", str(settings)], socket, folder / "containerd.log", variables):
        yield socket
