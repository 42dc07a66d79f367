"""How long others wait while an image is built: GETs of a manifest beside quick builds that behave badly.

`python -m tests.bench.builds` needs root, buildah and busybox. Each build is begun again as often as it ends; the p99
of the others should stay under 20 ms.
"""

import argparse
import base64
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from registry.cli.certificate_authority import make_certificates
from tests.bench.basegate import Basegate
from tests.bench.hostile import OTHERS_GOAL, OTHERS_RATE
from tests.bench.rounds import ROOT, asking
from tests.bench.servers import Running
from tests.policy.azure.builds.sending import BUSYBOX, FROM_NOTHING, run_line
from tests.ports import free_port

LIMITS = {"SECONDS": "20", "DISK_BYTES": str(256 << 20), "LOG_BYTES": str(16 << 20)}
"""Of the builds, so that each ends within the time that it is looked at."""
_IMAGE = "bench/small:built"


@dataclass(frozen=True, slots=True)
class Build:
    """One kind of build.

    Attributes:
        name: what it does.
        script: its RUN line.
    """

    name: str
    script: str


BUILDS = (
    Build("compresses and pushes 64 MiB", "/bin/busybox dd if=/dev/urandom of=/big bs=1M count=64"),
    Build("computes", "while true; do :; done & while true; do :; done"),
    Build("forks", "f() { f | f & }; f; /bin/busybox sleep 10"),
    Build("prints for ever", "while true; do /bin/busybox echo 0123456789012345678901234567890123456789; done"),
    Build("fills the disk", "/bin/busybox dd if=/dev/zero of=/big bs=1M count=1000; /bin/busybox sleep 10"),
)


class Builder:
    """A live basegate with a builder, and the command that has it build.

    Args:
        folder: where it stores; new.
    """

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self._ca = make_certificates(folder / "data").ca
        self._endpoint = f"https://localhost:{port}"
        settings = {"LISTEN": f"127.0.0.1:{port}", "BUILDS__BUILDER": "buildah"}
        settings |= {f"BUILDS__{name}": value for name, value in LIMITS.items()}
        variables = {f"BASEGATE_AZURE__{name}": value for name, value in settings.items()}
        self.running: Running = Basegate("basegate", environment=variables).start(folder, "secret")
        basic = self.running.target.authorization.removeprefix("Basic ")
        self._name, _, self._secret = base64.b64decode(basic).decode().partition(":")

    def build(self, context: Path) -> subprocess.Popen[bytes]:
        """Have a context built and pushed; the process follows its log to the end."""
        command = [sys.executable, "-m", "policy", "build", str(context), "--image", _IMAGE, "--username", self._name]
        command += ["--password", self._secret, "--endpoint", self._endpoint, "--ca-file", str(self._ca)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def context(folder: Path, build: Build) -> Path:
    """A folder with the Dockerfile and busybox."""
    program = shutil.which(BUSYBOX)
    if program is None:
        raise RuntimeError("busybox is needed in the images that are built: apt-get install busybox-static")
    folder.mkdir()
    shutil.copy(program, folder / BUSYBOX)
    (folder / "Dockerfile").write_text(FROM_NOTHING + run_line(build.script))
    return folder


def others(builder: Builder, begin: Callable[[], subprocess.Popen[bytes]] | None, seconds: float) -> float:
    """Milliseconds: p99 of a manifest's GETs, beside builds that follow each other."""
    over = threading.Event()

    def call() -> None:
        while begin is not None and not over.is_set():
            begin().wait()

    with asking(builder.running.target, OTHERS_RATE) as waits:
        calling = threading.Thread(target=call)
        calling.start()
        waits.begin()
        time.sleep(seconds)
        found = waits.end()
        over.set()
        calling.join()
    return found * 1000


def report(folder: Path, seconds: float) -> str:
    """The table."""
    builder = Builder(folder / "registry")
    lines = [
        "| a build that | others' GETs, p99 |",
        "|---|---|",
        f"| (none) | {others(builder, None, seconds):.1f} ms |",
    ]
    try:
        for number, build in enumerate(BUILDS):
            sent = context(folder / str(number), build)
            lines.append(f"| {build.name} | {others(builder, partial(builder.build, sent), seconds):.1f} ms |")
    finally:
        builder.running.stop()
    return "\n".join([*lines, f"| goal | under {OTHERS_GOAL:g} ms |"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=12.0, help="how long each kind is looked at")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="basegate-builds-") as folder:
        sys.stdout.write(report(Path(folder), chosen.seconds) + "\n")


if __name__ == "__main__":
    main()
