"""The peer that only moves bytes (`peer.c`): shows what the load generator can drive when nothing has to be done."""

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.bench.servers import (
    DOORS,
    Door,
    Running,
    answered,
    launch,
)
from tests.bench.wire import Target
from tests.ports import free_port

SOURCE = Path(__file__).with_name("peer.c")


@dataclass(frozen=True, slots=True)
class Peer:
    """Compiled when it is started, by the machine's C compiler.

    Attributes:
        size: bytes of every blob it answers with.
    """

    size: int
    name: str = "peer"
    doors: frozenset[Door] = DOORS - {"tls"}

    def version(self) -> str:
        """Digest of its source; "" where there is no compiler."""
        return hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12] if shutil.which("cc") else ""

    def settings(self) -> str:
        """There are none."""
        return ""

    def start(self, folder: Path, door: Door) -> Running:
        """It needs nothing but to run."""
        return self.boot(folder, door)

    def boot(self, folder: Path, door: Door) -> Running:
        """Compile and start it; it knows no tokens and no TLS."""
        del door
        port, program = free_port(), folder / "peer"
        subprocess.run(["cc", "-O2", "-pthread", "-o", program, SOURCE], check=True)
        return answered(Running(self.name, launch([str(program), str(port), str(self.size)], folder), Target(port)))
