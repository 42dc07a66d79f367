"""Every setting of the registry: its name, meaning, unit and default. `config/basegate.yaml` shows them all.

A setting that is marked *live*, alone or with its group, takes effect when the file changes or on SIGHUP; the others at
the next start.
"""

from pathlib import Path
from typing import Generic, Literal, TypeVar, cast

from pydantic import Field

from registry.config.access import AuditSettings, AuthSettings
from registry.config.administration import AdministrationSettings
from registry.config.events import EventSettings, HistorySettings
from registry.config.group import (
    DAY,
    LIVE,
    LIVE_WHILE_SET,
    MEBIBYTE,
    Group,
    Words,
)
from registry.config.metadata import MetadataSettings
from registry.config.pulls import PullSettings
from registry.config.retention import RetentionSettings
from registry.config.server import ServerSettings
from registry.config.storage import StorageSettings
from registry.config.transfer import TransferSettings
from registry.config.upstreams import UpstreamSettings


class LimitSettings(Group):
    """How much one request may ask for."""

    manifest_bytes: int = Field(
        default=4 * MEBIBYTE, ge=1024, description="largest manifest; larger ones get 413", json_schema_extra=LIVE
    )
    loop_bytes: int = Field(
        default=16_384,
        ge=0,
        description="longest text of a caller that is read in the event loop; a longer one is read by a thread",
        json_schema_extra=LIVE,
    )
    ranges: int = Field(
        default=16,
        ge=1,
        le=256,
        description="ranges of a blob that are served in one answer; for more the whole blob is",
        json_schema_extra=LIVE,
    )
    tags_per_push: int = Field(
        default=50,
        ge=1,
        le=1000,
        description="largest number of ?tag= parameters on a manifest push",
        json_schema_extra=LIVE,
    )
    tags_page: int = Field(
        default=1000, ge=1, description="tags on one page: the default and the maximum of n", json_schema_extra=LIVE
    )
    catalog_page: int = Field(
        default=100, ge=1, description="repositories on one page when n is absent", json_schema_extra=LIVE
    )
    catalog_page_maximum: int = Field(
        default=1000, ge=1, description="repositories on one page; a larger n is clipped", json_schema_extra=LIVE
    )
    referrers_page_bytes: int = Field(
        default=3 * MEBIBYTE,
        ge=65_536,
        description="largest referrers page; clients stop at 4 MiB",
        json_schema_extra=LIVE,
    )
    warning_bytes: int = Field(
        default=4096,
        ge=0,
        le=4096,
        description="largest total of Warning headers on one response",
        json_schema_extra=LIVE,
    )
    unread_body_bytes: int = Field(
        default=MEBIBYTE,
        ge=0,
        description="how much of a refused request's body is read away before the connection is closed",
        json_schema_extra=LIVE,
    )


class UploadSettings(Group):
    """Upload sessions."""

    chunk_minimum_bytes: int = Field(
        default=0, ge=0, description="OCI-Chunk-Min-Length told to clients; 0: none", json_schema_extra=LIVE
    )
    expire_seconds: int = Field(
        default=7 * DAY, ge=60, description="an upload without a byte for so long is forgotten", json_schema_extra=LIVE
    )
    batch_bytes: int = Field(
        default=MEBIBYTE, ge=4096, description="how many bytes go to disk in one write", json_schema_extra=LIVE
    )
    sessions_per_principal: int = Field(
        default=1000,
        ge=0,
        description="uploads that one principal may have open; one more gets 503; 0: no limit",
        json_schema_extra=LIVE,
    )
    outcomes: int = Field(
        default=1000, ge=0, description="finished uploads whose last request is answered again when it comes again"
    )
    silence_seconds: float = Field(
        default=1.0,
        ge=0,
        description="a request that brings no byte of its upload for so long makes way for a newer one for the same",
        json_schema_extra=LIVE,
    )
    lease_seconds: float = Field(
        default=10.0,
        gt=0,
        le=300,
        description="several nodes: after so long without a sign of the one that works on an upload, another goes on",
        json_schema_extra=LIVE,
    )


class ManifestSettings(Group):
    """What may be pushed and removed."""

    sparse_indexes: bool = Field(
        default=False, description="accept an index whose manifests are not in the repository", json_schema_extra=LIVE
    )
    deletes: bool = Field(
        default=True, description="offer DELETE of tags, manifests and blobs; false: 405", json_schema_extra=LIVE
    )


class ImmutableTags(Group):
    """Tags that never move to another digest."""

    repositories: Words = Field(default=("*",), description="repository patterns; * matches everything, / included")
    tags: Words = Field(default=("*",), description="tag patterns")


class Quota(Group):
    """How many bytes each matching repository may hold."""

    repositories: Words = Field(default=("*",), description="repository patterns; the first quota that matches counts")
    bytes: int = Field(ge=0, description="bytes of distinct blobs and manifests in one repository")


class GcSettings(Group):
    """Garbage collection."""

    grace_seconds: int = Field(
        default=DAY, ge=0, description="younger blobs are kept although nothing refers to them", json_schema_extra=LIVE
    )
    interval_seconds: int = Field(
        default=0, ge=0, description="how often the server collects by itself; 0: never", json_schema_extra=LIVE
    )
    undo_seconds: int = Field(
        default=DAY,
        ge=0,
        description="how long what was collected or deleted can be brought back, unless az has ordered otherwise; "
        "0: its bytes go at once",
        json_schema_extra=LIVE,
    )
    untagged_after_seconds: int = Field(
        default=0,
        ge=0,
        description="remove manifests without a tag, parent or subject after so long; 0: keep them",
        json_schema_extra=LIVE,
    )
    events_after_seconds: int = Field(
        default=90 * DAY, ge=0, description="forget what happened longer ago than this", json_schema_extra=LIVE
    )


class ScrubSettings(Group):
    """Reading all content again, to find what the disk has damaged."""

    interval_seconds: int = Field(
        default=7 * DAY,
        ge=0,
        description="how long after a whole pass the next one begins; 0: never by itself",
        json_schema_extra=LIVE,
    )
    bytes_per_second: int = Field(
        default=16 * MEBIBYTE, ge=0, description="how fast it reads; 0: as fast as it goes", json_schema_extra=LIVE
    )


class LogSettings(Group):
    """Logs on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least important message that is shown", json_schema_extra=LIVE
    )
    format: Literal["console", "json"] = Field(
        default="console", description="for people, or one JSON object a line", json_schema_extra=LIVE
    )
    access: bool = Field(default=True, description="one line for each request", json_schema_extra=LIVE)


class OperationSettings(Group):
    """Health, metrics, reload."""

    metrics: bool = Field(default=True, description="serve /metrics for Prometheus", json_schema_extra=LIVE)
    watch: bool = Field(default=True, description="follow changes of the settings file and the certificate files")


class RegistrySettings(Group):
    """All settings of the registry. The first five are flags of `basegate serve` as well."""

    data: Path = Field(default=Path("data"), description="folder for everything that is kept; made when absent")
    listen: str = Field(
        default="127.0.0.1:5000", description="HOST:PORT to serve on; [::1]:5000 for IPv6; port 0: any free one"
    )
    tls_cert: Path | None = Field(
        default=None,
        description="PEM certificate chain; with tls_key: serve HTTPS, which only a restart switches on or off",
        json_schema_extra=LIVE_WHILE_SET,
    )
    tls_key: Path | None = Field(
        default=None, description="PEM private key of tls_cert", json_schema_extra=LIVE_WHILE_SET
    )
    server: ServerSettings = ServerSettings()
    storage: StorageSettings = StorageSettings()
    metadata: MetadataSettings = MetadataSettings()
    limits: LimitSettings = LimitSettings()
    uploads: UploadSettings = UploadSettings()
    manifests: ManifestSettings = ManifestSettings()
    auth: AuthSettings = AuthSettings()
    audit: AuditSettings = AuditSettings()
    immutable_tags: tuple[ImmutableTags, ...] = Field(
        default=(), description="tags that never move once they are set", json_schema_extra=LIVE
    )
    quotas: tuple[Quota, ...] = Field(default=(), description="bytes a repository may hold", json_schema_extra=LIVE)
    upstreams: tuple[UpstreamSettings, ...] = Field(
        default=(), description="registries whose images are fetched when they are pulled: docs/mirroring.md"
    )
    pulls: PullSettings = PullSettings()
    gc: GcSettings = GcSettings()
    retention: RetentionSettings = RetentionSettings()
    history: HistorySettings = HistorySettings()
    events: EventSettings = EventSettings()
    scrub: ScrubSettings = ScrubSettings()
    transfer: TransferSettings = TransferSettings()
    administration: AdministrationSettings = AdministrationSettings()
    log: LogSettings = LogSettings()
    operations: OperationSettings = OperationSettings()

    def examine(self) -> None:
        """Check that everything the settings name exists. The registry names nothing; subclasses may.

        Raises:
            BasegateError: something is missing or cannot be used; the message says what and why.
        """


S_co = TypeVar("S_co", bound=RegistrySettings, covariant=True)


class SettingsInForce(Generic[S_co]):
    """The settings in force. Code that follows reloads keeps this object and reads `current` each time."""

    def __init__(self, settings: S_co) -> None:
        self._settings = settings

    @property
    def current(self) -> S_co:
        """The settings since the last reload."""
        return self._settings

    def replace(self, settings: RegistrySettings) -> None:
        """Put other settings of the same class in force."""
        self._settings = cast("S_co", settings)
