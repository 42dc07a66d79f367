"""The preloaded library that puts faults into processes from outside: compiled once for its source."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("faults.c")


def compiler() -> str | None:
    """The C compiler of this machine."""
    return shutil.which("cc") or shutil.which("gcc")


def library() -> Path:
    """The compiled library, in the folder of temporary files; made when it is not there yet.

    Raises:
        RuntimeError: there is no C compiler.
        subprocess.CalledProcessError: it cannot be compiled.
    """
    name = f"basegate-faults-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}.so"
    made = Path(tempfile.gettempdir()) / name
    if made.exists():
        return made
    program = compiler()
    if program is None:
        raise RuntimeError("no C compiler found: install gcc and libc6-dev")
    with tempfile.TemporaryDirectory(dir=made.parent) as folder:
        fresh = Path(folder) / name
        command = [program, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(fresh), str(SOURCE)]
        subprocess.run([*command, "-ldl", "-lpthread"], check=True)
        fresh.replace(made)
    return made
