"""The registry put together: stores, services, routes; built once, passed down, closed at the end."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from registry.api import routes
from registry.api.errors import EXCEPTION_HANDLERS
from registry.api.middleware import RequestMiddleware
from registry.api.services import Services, Stores
from registry.auth.assembly import Authority
from registry.config.reload import Follower, Turn
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.blobs import Blobs
from registry.content.catalog import Catalog
from registry.content.gc import GarbageCollector
from registry.content.manifests import Manifests
from registry.content.referrers import ReferrersList
from registry.content.session_log import FILE as SESSIONS
from registry.content.session_log import SessionLog
from registry.content.small_blob_journal import Journal, open_stores
from registry.content.tags import Tags
from registry.content.uploads import Uploads
from registry.gate import Gate, OpenGate
from registry.maintenance.upkeep import Upkeep
from registry.telemetry import logs
from registry.telemetry.audit import AuditLog, audit_log
from registry.telemetry.damage import DamageReport
from registry.telemetry.metrics import Metrics
from registry.telemetry.readiness import Readiness
from registry.telemetry.request_record import Observer

GateFactory = Callable[[Stores], Gate]
RoutesFactory = Callable[[Services], Sequence[BaseRoute]]

Work = Callable[[], Coroutine[Any, Any, None]]

_EXPIRY_SECONDS = 300.0


class RegistryApp:
    """A registry that is ready to be served.

    Attributes:
        asgi: the application, the edge outermost.
        services: its services, for whoever adds routes or commands.
        settings: the settings in force.
        upkeep: what it does for its data folder by itself.
        audit: the audit log, `None` when none is wanted.
        followers: whatever has to follow when they change.
    """

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        services: Services,
        asgi: RequestMiddleware,
        collector: GarbageCollector,
        journal: Journal,
        upkeep: Upkeep,
        closing: Sequence[Callable[[], None]],
        audit: AuditLog | None,
    ) -> None:
        self.services = services
        self.asgi = asgi
        self.settings = services.stores.settings
        self._collector = collector
        self._closing = list(closing)
        self.upkeep = upkeep
        self.followers: list[Follower] = [self._follow]
        self._work: list[Work] = [self._expire_uploads, self._collect, journal.run, *upkeep.work]
        if audit is not None:
            self._work.append(audit.run)
        self.audit = audit
        self._log = structlog.get_logger(__name__)

    def background(self) -> list[Coroutine[Any, Any, None]]:
        """Work that runs as long as the server does; cancelled at its end."""
        return [work() for work in self._work]

    def accompany(self, work: Work, close: Callable[[], None], follower: Follower | None = None) -> None:
        """Let a part of a package on top live and end with the server.

        Args:
            work: its own background work.
            close: what ends it.
            follower: asked when the settings are to change.
        """
        self._work.append(work)
        self.before_closing(close)
        if follower is not None:
            self.followers.append(follower)

    def before_closing(self, close: Callable[[], None]) -> None:
        """Have something closed before everything that is here already."""
        self._closing.insert(0, close)

    async def _follow(self, settings: RegistrySettings) -> Turn | None:
        """Adjust what does not read the settings anew by itself."""
        return None if settings.log == self.settings.current.log else lambda: logs.configure(settings.log)

    def close(self) -> None:
        """Let go of files, threads and the database."""
        for close in self._closing:
            close()

    async def _expire_uploads(self) -> None:
        while True:
            await self._attempt("expire uploads", self.services.uploads.expire(time.time()))
            await asyncio.sleep(_EXPIRY_SECONDS)

    async def _collect(self) -> None:
        while True:
            # An interval that is switched on while the server runs is noticed within a minute.
            interval = self.settings.current.gc.interval_seconds
            await asyncio.sleep(interval or 60)
            if interval:
                await self._attempt("collect garbage", self._collector.run())

    async def _attempt(self, what: str, work: Awaitable[object]) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001  one failed round must not end the rounds
            self._log.exception("background work failed, it will be tried again", work=what)


def build(
    settings: RegistrySettings,
    *,
    gate: GateFactory = lambda _stores: OpenGate(),
    more_routes: RoutesFactory = lambda _services: (),
    observers: Sequence[Observer] = (),
    new_database: bool = False,
) -> RegistryApp:
    """Put a registry together over the data folder of the settings.

    Args:
        settings: checked settings.
        gate: makes the gate out of the stores.
        more_routes: routes of a package on top; `/v2/` stays the registry's.
        observers: told of every finished request, beside metrics and access log.
        new_database: begin with no rows although the data folder holds content.
    """
    in_force = SettingsInForce(settings)
    pool = ThreadPoolExecutor(settings.storage.threads, thread_name_prefix="files")
    storage, metadata = open_stores(
        settings.data,
        pool,
        settings.storage.sync_bytes,
        settings.storage.busy_seconds,
        new_database=new_database,
    )
    authority = Authority(settings.data, metadata, in_force)
    stores = Stores(storage, metadata, in_force)
    journal = Journal(storage, metadata, pool, in_force)
    sessions = SessionLog(settings.data / SESSIONS, settings.uploads.outcomes)
    services = _services(stores, gate(stores), authority, journal, sessions)
    closing = [authority.close, metadata.close, pool.shutdown, sessions.close]
    audit = audit_log(settings.data, lambda: in_force.current.audit) if settings.audit.enabled else None
    if audit is not None:
        observers = [audit.observe, *observers]
        closing.append(audit.close)
        services.readiness.others.append(audit.problems)
    damage = DamageReport(storage.quarantine, storage.reserve)
    upkeep = Upkeep(storage, metadata, in_force)
    services.readiness.others += [damage.problems, metadata.problems, upkeep.problems, storage.reserve.problems]
    services.metrics.collectors.register(damage)
    upkeep.keep_reserve()
    asgi = _asgi(services, more_routes(services), observers)
    collector = GarbageCollector(storage, metadata, in_force)
    return RegistryApp(services, asgi, collector, journal, upkeep, closing, audit)


def _services(stores: Stores, gate: Gate, authority: Authority, journal: Journal, sessions: SessionLog) -> Services:
    storage, metadata, settings = stores.storage, stores.metadata, stores.settings
    return Services(
        stores=stores,
        gate=gate,
        access=authority.access,
        desk=authority.desk,
        blobs=Blobs(storage, metadata, gate, settings),
        uploads=Uploads(storage, metadata, gate, settings, journal, sessions),
        manifests=Manifests(storage, metadata, gate, settings),
        tags=Tags(metadata, settings),
        catalog=Catalog(metadata, settings),
        referrers=ReferrersList(metadata, settings, gate),
        metrics=Metrics(),
        readiness=Readiness(settings.current.data, metadata),
    )


def _asgi(services: Services, more_routes: Sequence[BaseRoute], observers: Sequence[Observer]) -> RequestMiddleware:
    settings = services.stores.settings
    inner = Starlette(routes=[*routes.build(services), *more_routes], exception_handlers=dict(EXCEPTION_HANDLERS))
    inner.router.redirect_slashes = False
    access_log = logs.AccessLog(lambda: settings.current.log)
    edge = RequestMiddleware(
        routes.Dispatch(services, inner), settings, [services.metrics.observe, access_log.observe, *observers]
    )
    services.metrics.running.set_function(lambda: edge.running)
    return edge
