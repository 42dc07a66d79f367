"""Process set-up of `basegate serve` before large imports: signals, and faster imports.

The server installs its signal handlers only after most of a second. The first process of a container has no default
handlers: it would ignore signals until then, and `docker stop` would wait its full time and then kill.
"""

import gc
import os
import signal
from types import FrameType

from registry.server.quick_imports import without_unused


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
