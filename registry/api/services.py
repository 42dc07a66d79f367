"""The services that handlers call, built once at start-up."""

from dataclasses import dataclass

from registry.auth.access import Access
from registry.auth.token_service import TokenService
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.attributes import Attributes
from registry.content.blobs import Blobs
from registry.content.catalog import Catalog
from registry.content.deleted import Deleted
from registry.content.gc import GarbageCollector
from registry.content.manifests import Manifests
from registry.content.parsing import Parsing
from registry.content.pull_through import NO_PULL_THROUGH, PullThrough
from registry.content.referrers import ReferrersList
from registry.content.tag_history import TagHistory
from registry.content.tags import Tags
from registry.content.uploads import Uploads
from registry.gate import Gate
from registry.maintenance.retention_schedule import RetentionSchedule
from registry.metadata.store import MetadataStore
from registry.storage.blob_store import BlobStore
from registry.telemetry.metrics import Metrics
from registry.telemetry.readiness import Readiness


@dataclass(frozen=True, slots=True)
class Stores:
    """What a gate is built from: blob store, metadata store and settings, and the one thread that parses long texts."""

    storage: BlobStore
    metadata: MetadataStore
    settings: SettingsInForce[RegistrySettings]
    parsing: Parsing


@dataclass(frozen=True, slots=True)
class Services:
    """One field per noun of the API, and access control."""

    stores: Stores
    gate: Gate
    access: Access
    token_service: TokenService
    blobs: Blobs
    uploads: Uploads
    manifests: Manifests
    tags: Tags
    tag_history: TagHistory
    catalog: Catalog
    referrers: ReferrersList
    attributes: Attributes
    deleted: Deleted
    collector: GarbageCollector
    retention: RetentionSchedule
    metrics: Metrics
    readiness: Readiness
    pull_through: PullThrough = NO_PULL_THROUGH
