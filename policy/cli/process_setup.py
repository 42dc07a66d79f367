"""Process set-up before large imports: standard streams; for `basegate serve` signals, and faster imports.

The server installs its signal handlers only after most of a second. The first process of a container has no default
handlers: it would ignore signals until then, and `docker stop` would wait its full time and then kill.
"""

import gc
import os
import signal
import sys
from types import FrameType

from registry.server.quick_imports import without_unused


def open_closed_streams() -> None:
    """Open the standard streams that whoever began this process has closed.

    Files that are opened later would take their numbers, and what is printed would go there. Input is at its end then,
    errors are told to nobody, and output fails as on a full disk: an answer that could not be written was not given.
    """
    for number, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, mode), True)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115


def begin_serving() -> None:
    """Prepare the process; call once, in the main thread, before the server's modules are imported.

    Turns the garbage collector off, as imports make only permanent objects; `end_of_start` turns it on again.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    # The default would end the process; the settings are about to be read anyway.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    gc.disable()
    # pydantic would search the metadata of every installed distribution for plugins.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    with without_unused():
        import structlog  # noqa: F401, PLC0415
        import uvicorn  # noqa: F401, PLC0415


def end_of_start() -> None:
    """Turn the garbage collector on again, without the objects made until now: they are permanent."""
    gc.freeze()
    gc.enable()


def _leave(_number: int, _frame: FrameType | None) -> None:
    # Nothing has to be cleaned up yet, and no running import may catch an exception.
    os._exit(0)
