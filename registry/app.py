"""The registry put together: stores, services, routes; built once, passed down, closed at the end."""

import asyncio
import time
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import structlog
from starlette.applications import Starlette
from starlette.types import ASGIApp

from registry.api import routes
from registry.api.errors import EXCEPTION_HANDLERS
from registry.api.middleware import RequestMiddleware
from registry.api.routes import Row
from registry.api.services import Services, Stores
from registry.auth.assembly import Authority
from registry.auth.signing_key import signing_key
from registry.config.reload import Follower, Turn
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.attributes import Attributes
from registry.content.blobs import Blobs
from registry.content.catalog import Catalog
from registry.content.deleted import Deleted
from registry.content.derived import NOTHING_DERIVED, DerivedContent
from registry.content.gc import GarbageCollector
from registry.content.manifests import Manifests
from registry.content.opened_rows import open_rows
from registry.content.opened_stores import open_stores_of
from registry.content.parsing import Parsing
from registry.content.pull_through import NO_PULL_THROUGH, PullThrough
from registry.content.referrers import ReferrersList
from registry.content.session_log import FILE as SESSIONS
from registry.content.session_log import SessionLog
from registry.content.session_records import OwnSessions, SessionRecords
from registry.content.small_blob_journal import Journal
from registry.content.tag_history import TagHistory
from registry.content.tags import Tags
from registry.content.uploads import Uploads
from registry.extension import Extension, ExtensionFactory, no_extension
from registry.gate import Gate, OpenGate
from registry.maintenance.retention_schedule import RetentionSchedule
from registry.maintenance.upkeep import Upkeep
from registry.metadata.identity import identity
from registry.metadata.open_store import open_metadata
from registry.metadata.sqlite_store import SqliteStore
from registry.metadata.store import RowStore, SharedRows
from registry.mirror.namespaces import Namespaces
from registry.notifications.deliveries import Deliveries
from registry.storage.blob_store import BlobStore
from registry.storage.disk.store import DiskStore
from registry.storage.pieces import SharedStore
from registry.telemetry import logs
from registry.telemetry.audit import AuditLog, audit_log
from registry.telemetry.damage import DamageReport
from registry.telemetry.ending_secrets import EndingSecrets
from registry.telemetry.last_pulls import LastPulls
from registry.telemetry.metrics import Metrics
from registry.telemetry.optional_gauge import OptionalGauge
from registry.telemetry.readiness import Readiness
from registry.telemetry.request_record import Observer
from registry.telemetry.store_metrics import Doing, StoreMetrics

if TYPE_CHECKING:
    from registry.mirror.mirror import Mirror
    from registry.telemetry.node_keys import NodeKeys

_EXPIRY_SECONDS = 300.0


class RegistryApp:
    """A registry that is ready to be served.

    Attributes:
        asgi: the application, its middleware outermost.
        table: every row it answers, those of its extension too.
        ports: further addresses, each with its application, the middleware outermost.
        services: its services, for commands.
        settings: the settings in force.
        upkeep: what it does for its data folder by itself.
        audit: the audit log, `None` when none is wanted.
        last_pulls: notes which tags and manifests are pulled.
        retention: applies the rules of what is kept.
        followers: asked before changed settings count.
    """

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        services: Services,
        extension: Extension,
        journal: Journal | None,
        upkeep: Upkeep,
        audit: AuditLog | None,
        opened: ExitStack,
        mirror: "Mirror | None",
    ) -> None:
        """What `opened` holds is taken over, and closed by `close`."""
        self.services = services
        self.settings = services.stores.settings
        self.upkeep = upkeep
        self.audit = audit
        self.table = routes.with_more(extension.routes(services))
        self.last_pulls = LastPulls(services.stores.metadata, lambda: self.settings.current.pulls)
        observers = [self.last_pulls.observe, *_observers(audit), *extension.observers]
        self.asgi = _asgi(services, self.table, observers)
        self.ports = [(port, _edge(services, port.app, observers)) for port in extension.ports(services)]
        self.followers: list[Follower] = [self._follow, *extension.followers]
        self.retention = services.retention
        services.metrics.collectors.register(self.retention)
        self._work = [self._expire_uploads, self._collect, *([] if journal is None else [journal.run]), *upkeep.work]
        self._work += [
            self.last_pulls.run,
            self.retention.run,
            *([] if audit is None else [audit.run]),
            *extension.background,
        ]
        self._work += [services.uploads.run, *([] if mirror is None else [mirror.run])]
        self._work.append(Deliveries(services.stores.metadata, self.settings).run)
        figures: list[StoreMetrics | EndingSecrets | NodeKeys] = [*_node_keys(services.stores)]
        figures.append(StoreMetrics(services.stores.metadata, self._doing, self._sinks))
        figures.append(_ending_secrets(services.stores))
        for each in figures:
            services.metrics.collectors.register(each)
            self._work.append(each.run)
        self._log = structlog.get_logger(__name__)
        self._opened = opened.pop_all()

    def background(self) -> list[Coroutine[Any, Any, None]]:
        """Work that runs as long as the server does; cancelled at its end."""
        return [work() for work in self._work]

    def _sinks(self) -> list[str]:
        return [sink.name for sink in self.settings.current.events.sinks]

    def _doing(self) -> Doing:
        uploads, collector = self.services.uploads.open, self.services.collector
        return Doing(len(uploads), uploads.running, collector.freed, collector.runs)

    async def _follow(self, settings: RegistrySettings) -> Turn | None:
        """Adjust what does not read the settings anew by itself."""
        return None if settings.log == self.settings.current.log else lambda: logs.configure(settings.log)

    def close(self) -> None:
        """Let go of files, threads and the database, in the reverse order of opening."""
        self._opened.close()

    async def _expire_uploads(self) -> None:
        while True:
            await self._attempt("expire uploads", self.services.uploads.expire(time.time()))
            await asyncio.sleep(_EXPIRY_SECONDS)

    async def _collect(self) -> None:
        while True:
            # An interval that is switched on while the server runs is noticed within a minute.
            interval = self.settings.current.gc.interval_seconds
            await asyncio.sleep(interval or 60)
            if interval and self.services.stores.metadata.leads():
                await self._attempt("collect garbage", self.services.collector.run())

    async def _attempt(self, what: str, work: Awaitable[object]) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001  one failed round must not end the rounds
            self._log.exception("background work failed, it will be tried again", work=what)


def build(
    settings: RegistrySettings,
    *,
    extension: ExtensionFactory = no_extension,
    new_database: bool = False,
    blobs: BlobStore | None = None,
) -> RegistryApp:
    """Put a registry together over the data folder of the settings. When it fails, nothing stays open.

    Args:
        settings: checked settings.
        extension: what joins it; several are put into one by `registry.extension.compose`.
        new_database: begin with no rows although the data folder holds content.
        blobs: where they are kept; `None`: in the data folder.
    """
    in_force = SettingsInForce(settings)
    with ExitStack() as opened:
        storage, metadata, journal = _open(in_force, opened, blobs, new_database=new_database)
        audit = audit_log(settings.data, lambda: in_force.current.audit) if settings.audit.enabled else None
        if audit is not None:
            opened.callback(audit.close)
        authority = Authority(settings.data, metadata, in_force)
        opened.callback(authority.close)
        sessions = SessionLog(settings.data / SESSIONS, settings.uploads.outcomes)
        opened.callback(sessions.close)
        parsing = Parsing(in_force)
        opened.callback(parsing.close)
        stores = Stores(storage, metadata, in_force, parsing)
        joined = extension(stores)
        opened.callback(joined.close)
        derived = joined.derived or NOTHING_DERIVED
        mirror = _mirror(stores)
        beside = (derived, mirror or NO_PULL_THROUGH)
        record = _record_nothing if audit is None else audit.record
        retention = RetentionSchedule(metadata, in_force, joined.marks, record)
        services = _services(stores, joined.gate or OpenGate(), beside, authority, journal, sessions, retention)
        if mirror is not None:
            mirror.join(services.manifests, services.uploads)
        damage = DamageReport(storage.quarantine, storage.reserve)
        upkeep = Upkeep(storage, metadata, in_force, joined.beside_rows)
        services.readiness.others += [] if audit is None else [audit.problems]
        services.readiness.others += [damage.problems, metadata.problems, upkeep.problems, storage.reserve.problems]
        services.readiness.others += joined.problems
        words = "How long changes of rows have waited for their copy in the object store, in seconds."
        lag = OptionalGauge("basegate_rows_copy_lag_seconds", words, upkeep.copy_lag)
        words = "Blobs of the object store that are copied here."
        cached = OptionalGauge("basegate_blob_cache_bytes", words, upkeep.cached_bytes)
        for collector in (damage, lag, cached, *([] if audit is None else [audit]), *joined.collectors):
            services.metrics.collectors.register(collector)
        upkeep.keep_reserve()
        upkeep.fit_cache()
        return RegistryApp(services, joined, journal, upkeep, audit, opened, mirror)


def _mirror(stores: Stores) -> "Mirror | None":
    """What fills repositories from upstreams; `None` without any."""
    if not stores.settings.current.upstreams:
        return None
    from registry.mirror.mirror import Mirror  # noqa: PLC0415 - slow to import

    return Mirror(stores.settings, stores.storage, stores.metadata, stores.parsing)


def _open(
    settings: SettingsInForce[RegistrySettings], opened: ExitStack, blobs: BlobStore | None, *, new_database: bool
) -> tuple[BlobStore, RowStore, Journal | None]:
    """Blobs and rows. Small blobs are journaled where both are files: elsewhere that would save nothing."""
    group = settings.current.storage
    if blobs is not None:
        metadata = _rows_alone(settings.current, blobs, new_database=new_database)
        opened.callback(metadata.close)
        return blobs, metadata, None
    pool = ThreadPoolExecutor(group.threads, thread_name_prefix="files")
    opened.callback(pool.shutdown)
    storage, metadata = open_stores_of(settings.current, pool, new_database=new_database)
    opened.callback(metadata.close)
    if isinstance(storage, DiskStore) and isinstance(metadata, SqliteStore):
        return storage, metadata, Journal(storage, metadata, pool, settings)
    return storage, metadata, None


def _rows_alone(settings: RegistrySettings, blobs: BlobStore, *, new_database: bool) -> RowStore:
    if settings.metadata.url:
        return open_rows(settings, blobs, new_database=new_database)
    return open_metadata(settings.data, busy_seconds=settings.storage.busy_seconds, new=new_database)


def _services(  # noqa: PLR0913, PLR0917
    stores: Stores,
    gate: Gate,
    beside: tuple[DerivedContent, PullThrough],
    authority: Authority,
    journal: Journal | None,
    sessions: SessionLog,
    retention: RetentionSchedule,
) -> Services:
    """`beside`: what there is beside what was pushed."""
    storage, metadata, settings = stores.storage, stores.metadata, stores.settings
    return Services(
        stores=stores,
        gate=gate,
        access=authority.access,
        token_service=authority.token_service,
        blobs=Blobs(storage, metadata, gate, settings, beside[0]),
        uploads=Uploads(storage, metadata, gate, settings, journal, _sessions(stores, sessions)),
        manifests=Manifests(storage, metadata, gate, settings, stores.parsing, *beside),
        tags=Tags(metadata, settings),
        tag_history=TagHistory(metadata, settings, gate),
        catalog=Catalog(metadata, settings),
        referrers=ReferrersList(metadata, settings, gate, *beside),
        attributes=Attributes(metadata),
        deleted=Deleted(storage, metadata, settings, stores.parsing),
        collector=GarbageCollector(storage, metadata, settings),
        retention=retention,
        metrics=Metrics(),
        readiness=Readiness(settings.current.data, metadata),
        pull_through=beside[1],
    )


def _sessions(stores: Stores, log: SessionLog) -> SessionRecords:
    """Of uploads: shared where rows and blobs are."""
    own = OwnSessions(stores.storage, log)
    if not stores.settings.current.metadata.url or not isinstance(stores.storage, SharedStore):
        return own
    from registry.content.shared_sessions import SharedSessions  # noqa: PLC0415 - for several nodes alone

    store = stores.metadata.read_now(identity).id
    return SharedSessions(own, stores.storage.pieces, stores.metadata, stores.settings, store)


def _record_nothing(_line: Mapping[str, Any]) -> None:
    """No audit log is wanted."""


def _ending_secrets(stores: Stores) -> EndingSecrets:
    return EndingSecrets(stores.metadata, lambda: stores.settings.current.auth.warn_days)


def _node_keys(stores: Stores) -> "list[NodeKeys]":
    """Of nodes that share rows; there are no others where these are a file."""
    rows = stores.metadata
    if not isinstance(rows, SharedRows):
        return []
    from registry.telemetry.node_keys import NodeKeys  # noqa: PLC0415 - for several nodes alone

    return [NodeKeys(rows, signing_key(stores.settings.current.data).kid)]


def _observers(audit: AuditLog | None) -> list[Observer]:
    return [] if audit is None else [audit.observe]


def _asgi(services: Services, table: Sequence[Row], observers: Sequence[Observer]) -> RequestMiddleware:
    inner = Starlette(routes=routes.build(services, table), exception_handlers=dict(EXCEPTION_HANDLERS))
    inner.router.redirect_slashes = False
    app: ASGIApp = routes.Dispatch(services, inner, table)
    upstreams = services.stores.settings.current.upstreams
    edge = _edge(services, Namespaces(app, upstreams) if upstreams else app, observers)
    services.metrics.running.set_function(lambda: edge.running)
    return edge


def _edge(services: Services, app: ASGIApp, observers: Sequence[Observer]) -> RequestMiddleware:
    settings = services.stores.settings
    access_log = logs.AccessLog(lambda: settings.current.log)
    return RequestMiddleware(app, settings, [services.metrics.observe, access_log.observe, *observers])
