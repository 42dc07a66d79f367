"""The first moments of `basegate serve`, before anything large is imported: signals, and imports made cheap.

The server is most of a second old before its own signal handlers stand. The first process of a container has no
default ones: what it does not handle yet, it ignores, and `docker stop` would wait its full time and then kill.
"""

import gc
import os
import signal
import sys
from types import FrameType


def begin_serving() -> None:
    """Prepare the process for a server; once, in the main thread, before the server's modules are imported.

    The collector of cycles is off from here on, as imports only make what stays; `end_of_start` turns it on again.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    # Its default would end the process; the settings are about to be read in any case.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    gc.disable()
    # pydantic would read the metadata of every installed distribution, looking for plugins that nobody has asked for.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    _import_structlog()


def end_of_start() -> None:
    """Collect cycles again, but never look at what was made until now: it stays as long as the server does."""
    gc.freeze()
    gc.enable()


def _leave(_number: int, _frame: FrameType | None) -> None:
    # Nothing is begun that would have to be finished, and no import on the stack may catch this.
    os._exit(0)


def _import_structlog() -> None:
    """Import structlog while rich cannot be found: for tracebacks that we do not use it would load all of rich."""
    if "rich" in sys.modules or "structlog" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog  # noqa: F401, PLC0415
    finally:
        del sys.modules["rich"]
