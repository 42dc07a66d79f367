"""A first start as a person meets it: the server in one terminal, a clone and a docker engine in another."""

import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clients.program import Outcome, Program
from tests.clients.roster import Daemons
from tests.clients.stand_in import ubuntu_root
from tests.installation import Installation

ROOT = Path(__file__).parents[2]
ADDRESS = "127.0.0.1:5000"


@dataclass(frozen=True)
class Terminal:
    """A person's terminal in a clone of the project, with a server running in another.

    Attributes:
        host: where the server is; it stands for the README's address.
        words: what `basegate serve` printed.
        shell: runs a line.
    """

    host: str
    words: str
    shell: Program

    def type(self, line: str) -> Outcome:
        """Run a line as it is written; a password that is asked for is given as a pipe would."""
        secret = re.search(rf"^ +{line.rsplit(maxsplit=1)[-1]} +\w+ +(\S+)$", self.words, re.MULTILINE)
        more = " --password-stdin" if line.partition(" ")[2].startswith("login ") else ""
        name, is_export, value = line.removeprefix("export ").partition("=")
        if line.startswith("export ") and is_export:
            self.shell.environment[name] = value.replace(ADDRESS, self.host)
        return self.shell.run(line.replace(ADDRESS, self.host) + more, text=secret[1] if secret else "")


@contextmanager
def first_start(daemons: Daemons, clone: Path) -> Iterator[Terminal]:
    """An engine that knows `ubuntu:16.04`, and what the commands need of a clone, until the block ends."""
    (clone / ".venv").symlink_to(sys.prefix)
    installation = Installation(clone / "data", {})
    with installation.serving() as running:
        host = running.host
        variables = {"DOCKER_HOST": f"unix://{daemons.socket('docker')}", "DOCKER_BUILDKIT": "0"}
        shell = Program(("sh", "-c"), clone, variables)
        shutil.copytree(ROOT / "config" / "examples", clone / "config" / "examples")
        named = clone / "config" / "examples" / "inferenceconfig.json"
        named.write_text(named.read_text().replace(ADDRESS, host))
        (clone / "ubuntu.tar").write_bytes(ubuntu_root())
        shell.run("docker import ubuntu.tar ubuntu:16.04").check()
        yield Terminal(host, running.wait_for(re.compile(r".*More:", re.DOTALL)).string, shell)


def commands(text: str, margin: str) -> list[str]:
    """The lines that have exactly this margin."""
    return [line.removeprefix(margin) for line in text.splitlines() if re.match(rf"{margin}\S", line)]
