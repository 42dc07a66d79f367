"""Importing the server in less time, and leaving the process as it was."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_NO_PLUGINS = "PYDANTIC_DISABLE_PLUGINS"
_HIDDEN = ("rich", "httpx._main", "watchfiles")


@contextmanager
def quick_imports() -> Iterator[None]:
    """Import within the block; afterwards the process is as it was before.

    The collector of cycles is off: it would walk all modules again and again. pydantic does not look through the
    metadata of every distribution for plugins.
    """
    collects, plugins = gc.isenabled(), os.environ.get(_NO_PLUGINS)
    gc.disable()
    os.environ.setdefault(_NO_PLUGINS, "__all__")
    try:
        with without_unused():
            yield
    finally:
        if plugins is None:
            os.environ.pop(_NO_PLUGINS, None)
        if collects:
            _take_as_old()
            gc.enable()


def _take_as_old() -> None:
    """Have the collector take all that there is for old, as after its usual runs; else it would walk all of it now."""
    if not gc.get_freeze_count():  # what somebody has frozen stays frozen
        gc.freeze()
        gc.unfreeze()


@contextmanager
def without_unused() -> Iterator[None]:
    """Hide what would be loaded for nobody.

    That is rich, for tracebacks of structlog that nobody sees, the command line of httpx, and the file watch of
    uvicorn's own reloads; who wants one of them imports it afterwards.
    """
    hidden = [name for name in _HIDDEN if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
