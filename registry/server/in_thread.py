"""A server in a thread of its own, beside whatever else its process does: for tests of what calls a registry."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from registry.app import RegistryApp
from registry.config.reload import Reload
from registry.config.settings import RegistrySettings
from registry.server.run import Serving
from registry.server.startup import CannotStart, bind, certificate_of

_STARTUP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class ThreadedServer:
    """A server that answers.

    Attributes:
        url: scheme, host and port.
        stop: ends it; the context manager does so as well.
        connections: how many are open.
    """

    url: str
    stop: Callable[[], None]
    connections: Callable[[], int]


@contextmanager
def serving(
    app: RegistryApp, read: Callable[[], RegistrySettings] | None = None, files: Sequence[Path] = ()
) -> Iterator[ThreadedServer]:
    """Serve an application from a thread of its own until the block ends; the application is closed then.

    Args:
        app: the application; its settings name the address, of which port 0 is any that is free.
        read: reads the settings anew when one of the files changes.
        files: see there.

    Raises:
        CannotStart: the address or the certificate cannot be used, or it does not come up.
    """
    try:
        yield from _served(app, read, files)
    finally:
        app.close()


def _served(
    app: RegistryApp, read: Callable[[], RegistrySettings] | None, files: Sequence[Path]
) -> Iterator[ThreadedServer]:
    settings = app.settings.current
    ready: Future[None] = Future()
    server = Serving(app, bind(settings), certificate_of(settings), lambda _url: ready.set_result(None))
    reload = Reload(app.settings, read or (lambda: settings), [*app.followers, *server.followers])

    def serve() -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # the loop that `run` serves with
                runner.run(server.until_stopped(reload, files))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=serve, name="registry")
    thread.start()
    try:
        if not wait([ready], _STARTUP_SECONDS).done:
            raise CannotStart("the registry did not start")
        ready.result()
        yield ThreadedServer(server.url, server.stop, lambda: server.connections)
    finally:
        server.stop()
        thread.join(_STARTUP_SECONDS)
