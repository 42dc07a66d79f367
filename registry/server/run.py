"""Runs the registry: uvicorn on our own socket, until SIGTERM or SIGINT; SIGHUP reloads."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import cast

import structlog
import uvicorn

from registry.api.forwarded import is_trusted
from registry.api.middleware import RequestMiddleware
from registry.app import RegistryApp
from registry.config.reload import Follower, Reload, Turn
from registry.config.server import ServerSettings
from registry.config.settings import RegistrySettings
from registry.config.sources import SettingsError
from registry.http.connection_limits import ConnectionLimits, Limits
from registry.http.context import ConnectionContext
from registry.http.deadlines import Patience
from registry.http.error_response import Wording
from registry.http.listener import Listener
from registry.server import settings_in_use
from registry.server.file_watch import FileWatch
from registry.server.malloc import give_back_free_blocks
from registry.server.other_port import OtherPort
from registry.server.refusal import oci_form
from registry.server.response_cache import ResponseCache
from registry.server.startup import CannotStart, Certificate, bind, cautions, certificate_of
from registry.server.stopping import Cuttable, Stopping, Tell
from registry.telemetry import logs

Announce = Callable[[str], None]


def run(
    app: RegistryApp,
    read_settings: Callable[[], RegistrySettings],
    files: Iterable[Path],
    announce: Announce,
    tell: Tell = lambda _words: None,
) -> None:
    """Serve until told to stop.

    Args:
        app: the application; the caller closes it.
        read_settings: reads all settings sources again, for a reload.
        files: settings files whose change means a reload.
        announce: called with the URL once connections are accepted.
        tell: called on a signal to stop, with words for a person.

    Raises:
        CannotStart: the address or the certificate cannot be used.
    """
    logs.configure(app.settings.current.log)
    certificate = certificate_of(app.settings.current)
    listening = bind(app.settings.current)
    serving = Serving(app, listening, certificate, announce, tell)
    settings_in_use.record(app.settings.current)
    reload = Reload(app.settings, read_settings, [*app.followers, *serving.followers, settings_in_use.follow])
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serving.until_stopped(reload, files))


class Serving:
    """One running server."""

    def __init__(
        self,
        app: RegistryApp,
        listening: socket.socket,
        certificate: Certificate | None,
        announce: Announce,
        tell: Tell = lambda _words: None,
    ) -> None:
        self._app = app
        self._listening = listening
        self._certificate = certificate
        self._announce = announce
        self._log = structlog.get_logger(__name__)
        self._asked = asyncio.Event()
        self._files: list[Path] = []
        self._watch = FileWatch()
        self.url = _url_of(listening, secure=certificate is not None)
        self._others = [OtherPort(port, app.settings.current) for port, _ in app.ports]
        self._sockets = ThreadPoolExecutor(app.settings.current.server.threads, thread_name_prefix="sockets")
        server = app.settings.current.server
        self._seats = ConnectionLimits(_limits(server))
        self._server = _Server(_config(app), self._doors, self._started)
        self._stopping = Stopping(self._server, self._running, self._cut, tell)
        self._means = self._made_means(server)
        self._other_means = [self._means_of(asgi, server, None, port.wording) for port, asgi in app.ports]

    async def until_stopped(self, reload: Reload, files: Iterable[Path]) -> None:
        """Serve and watch the files until `stop` is called or a signal arrives."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            _on_signal(loop, number, self._stopping.on_signal, number)
        _on_signal(loop, signal.SIGHUP, self._asked.set)
        self._files = list(files)
        self._watch.watch(self._followed())
        tasks = [asyncio.create_task(work) for work in self._app.background()]
        tasks += [asyncio.create_task(work) for work in (self._reload_when_asked(reload), give_back_free_blocks())]
        following = asyncio.create_task(self._follow())
        try:
            await self._server.serve(sockets=[self._listening, *(other.listening for other in self._others)])
        finally:
            self._watch.stop()
            await following
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._sockets.shutdown(wait=False)

    def _made_means(self, server: ServerSettings) -> ConnectionContext:
        asgi = self._app.asgi
        remembers = server.fast and server.answer_bytes
        memory = ResponseCache(self._app.services, self._app.table, asgi, server.answer_bytes) if remembers else None
        return self._means_of(asgi, server, memory, oci_form)

    def _means_of(
        self, asgi: RequestMiddleware, server: ServerSettings, memory: ResponseCache | None, wording: Wording
    ) -> ConnectionContext:
        state, patience = self._server.server_state, _patience(server)
        return ConnectionContext(asgi, state, self._sockets, server.head_bytes, patience, server.fast, memory, wording)

    def _doors(self) -> list[Listener]:
        context = None if self._certificate is None else self._certificate.context
        others = [
            Listener(other.listening, means, self._seats, other.certificate.context)
            for other, means in zip(self._others, self._other_means, strict=True)
        ]
        return [Listener(self._listening, self._means, self._seats, context), *others]

    @property
    def followers(self) -> tuple[Follower, ...]:
        """The server's followers of a reload."""
        return self._follow_limits, self._follow_certificate, *map(self._follow_other, self._others)

    async def _follow_limits(self, settings: RegistrySettings) -> Turn | None:
        """Apply changed limits at once."""
        server = settings.server
        return None if server == self._app.settings.current.server else partial(self._turn, server)

    async def _follow_certificate(self, settings: RegistrySettings) -> Turn | None:
        """Use another certificate for new connections. Raises SettingsError when it cannot be used."""
        certificate, chain, key = self._certificate, settings.tls_cert, settings.tls_key
        if certificate is None or chain is None or key is None or certificate.files == (chain, key):
            return None
        try:
            Certificate(chain, key)
        except CannotStart as error:
            raise SettingsError(str(error)) from None
        return partial(self._turn_certificate, certificate, chain, key)

    def _follow_other(self, other: OtherPort) -> Follower:
        async def follow(settings: RegistrySettings) -> Turn | None:
            return other.reload(settings, lambda: self._watch.watch(self._followed()))

        return follow

    def _turn_certificate(self, certificate: Certificate, chain: Path, key: Path) -> None:
        # They are loaded right behind every reload.
        certificate.turn_to(chain, key)
        self._watch.watch(self._followed())

    def _followed(self) -> list[Path]:
        """The files whose change causes a reload."""
        if not self._app.settings.current.operations.watch:
            return []
        return [*self._files, *(file for certificate in self._certificates for file in certificate.files)]

    @property
    def _certificates(self) -> list[Certificate]:
        own = [] if self._certificate is None else [self._certificate]
        return [*own, *(other.certificate for other in self._others)]

    def _turn(self, server: ServerSettings) -> None:
        self._server.config.timeout_graceful_shutdown = server.shutdown_seconds
        self._seats.limits = _limits(server)
        for means in (self._means, *self._other_means):
            means.head_bytes = server.head_bytes
            means.waiting = _patience(server)

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return len(self._server.server_state.connections)

    def _running(self) -> tuple[int, int]:
        """The uploads and the other requests that are running."""
        uploads = self._app.services.uploads.open.running
        requests = sum(edge.running for edge in (self._app.asgi, *(app for _, app in self._app.ports)))
        return uploads, max(0, requests - uploads)

    def _cut(self) -> None:
        for connection in list(self._server.server_state.connections):
            cast("Cuttable", connection).cut()

    def stop(self) -> None:
        """Stop after the running requests. May be called from another thread."""
        self._server.should_exit = True

    def _started(self) -> None:
        self._log.info("listening", url=self.url)
        for other in self._others:
            self._log.info("listening", url=_url_of(other.listening, secure=True))
        self._warn()
        self._announce(self.url)

    def _warn(self) -> None:
        for caution in cautions(self._app.settings.current):
            self._log.warning("caution", reason=caution)

    async def _reload_when_asked(self, reload: Reload) -> None:
        """Run reloads one after another; a request during one causes another."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            change = await reload.now()
            self._renew_certificate()
            if change is not None and "auth.required" in change.applied:
                self._warn()

    def _renew_certificate(self) -> None:
        for certificate in self._certificates:
            try:
                certificate.reload()
            except CannotStart as error:
                self._log.error("the new certificate is refused, the old one stays in use", reason=str(error))

    async def _follow(self) -> None:
        async for _ in self._watch.changes():
            self._asked.set()


class _Server(uvicorn.Server):
    """uvicorn without its signal handling, so that `run` returns normally after a signal."""

    def __init__(
        self, config: uvicorn.Config, doors: Callable[[], list[Listener]], started: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._doors = doors
        self._tell_started = started

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to `Serving`."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002
        """Accept connections, then announce it."""
        doors = self._doors()
        self.servers = [
            cast("asyncio.Server", listener) for listener in doors
        ]  # uvicorn only closes them and waits for that
        for listener in doors:
            listener.open()
        self.started = True
        self._tell_started()


def _config(app: RegistryApp) -> uvicorn.Config:
    server = app.settings.current.server
    return uvicorn.Config(
        app.asgi,
        http=asyncio.Protocol,  # never called: our own listener makes connections
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=server.shutdown_seconds,
    )


def _limits(server: ServerSettings) -> Limits:
    def is_exempt(address: str) -> bool:
        return is_trusted(address, server.trusted_proxies)

    return Limits(server.connections, server.connections_per_address, is_exempt)


def _patience(server: ServerSettings) -> Patience:
    return Patience(
        idle_seconds=server.keep_alive_seconds,
        head_seconds=server.head_seconds,
        stall_seconds=server.stall_seconds,
        body_seconds=server.body_rate_seconds,
        body_rate=server.body_rate,
        taking_seconds=server.taking_rate_seconds,
        taking_rate=server.taking_rate,
    )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop  # noqa: PLC0415

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _on_signal(
    loop: asyncio.AbstractEventLoop, number: signal.Signals, act: Callable[..., object], *arguments: object
) -> None:
    # Only the main thread can handle signals; `stop` ends a server in another thread.
    with contextlib.suppress(ValueError, RuntimeError):
        loop.add_signal_handler(number, act, *arguments)


def _url_of(listening: socket.socket, *, secure: bool) -> str:
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if secure else 'http'}://{shown}:{port}"


def announce_on_stdout(url: str) -> None:
    """Print the line that people and tests wait for."""
    sys.stdout.write(f"listening on {url}\n")
    sys.stdout.flush()
