"""Importing the server in less time, and leaving the process as it was."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_NO_PLUGINS = "PYDANTIC_DISABLE_PLUGINS"


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
        with without_rich():
            yield
    finally:
        if plugins is None:
            os.environ.pop(_NO_PLUGINS, None)
        if collects:
            gc.enable()


@contextmanager
def without_rich() -> Iterator[None]:
    """Hide rich: structlog would load all of it for tracebacks that nobody sees, and httpx for a command line."""
    if "rich" in sys.modules:
        yield
        return
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["rich"]
