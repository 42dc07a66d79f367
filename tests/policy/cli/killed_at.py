"""Runs `basegate` and kills it before the n-th step that can be seen on the disk: `python -m … N FOLDER WORDS…`.

A step is a change of a name, a removal, or the sync of the data folder, which stands before each commit that counts.
"""

import os
import signal
import sys
from typing import Any

from policy.cli.main import basegate

_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir"}


def kill_at(step: int, folder: str) -> None:
    """From here on, count steps in the folder; the process is gone before that one."""
    seen = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event in _CHANGES or event == "open":
            path = str(arguments[0])
            seen += path == folder if event == "open" else path.startswith(folder)
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


if __name__ == "__main__":
    kill_at(int(sys.argv[1]), sys.argv[2])
    sys.argv = ["basegate", *sys.argv[3:]]
    basegate()
