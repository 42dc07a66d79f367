"""How far an import is: in bytes, on a terminal."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from tests.clients.layouts import Image, Layout
from tests.clients.trees import CONDA_PATH, cleared_image, incompressible
from tests.policy.cli.transfers import empty_registry
from tests.registry.cli.terminal import all_of

_BYTES = re.compile(r"sha256:[0-9a-f]+ .*[0-9.]+/[0-9.]+ (?:bytes|kB|MB)")


def told_on_a_terminal(*words: str) -> str:
    """What a command shows there on standard error."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 160, 0, 0))
    command, environment = [sys.executable, "-m", "policy", *words], {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env=environment) as process:
        os.close(theirs)
        told = all_of(ours)
    assert process.returncode == 0, told
    return told


def test_an_import_shows_bytes(tmp_path: Path) -> None:
    """Of each blob that is on its way; in the end, how much it was."""
    layout = Layout(tmp_path / "layout")
    layout.add("large", Image((*cleared_image().layers, incompressible(64 << 20)), CONDA_PATH))
    told = told_on_a_terminal("import", str(layout.folder), "team/app", "--data", empty_registry(tmp_path / "data"))
    assert _BYTES.search(told), told
    assert re.search(r"6[0-9]\.[0-9] MiB copied, 0 B were there", told), told
