"""The services that handlers call, built once at start-up."""

from dataclasses import dataclass

from registry.auth.access import Access
from registry.auth.token_desk import TokenDesk
from registry.blobs import Blobs
from registry.catalog import Catalog
from registry.gate import Gate
from registry.manifests import Manifests
from registry.metadata.store import MetadataStore
from registry.metrics import Metrics
from registry.readiness import Readiness
from registry.referrers import ReferrersList
from registry.settings import RegistrySettings, SettingsInForce
from registry.storage.store import BlobStore
from registry.tags import Tags
from registry.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Stores:
    """What a gate is built from: where bytes and rows are, and the settings."""

    storage: BlobStore
    metadata: MetadataStore
    settings: SettingsInForce[RegistrySettings]


@dataclass(frozen=True, slots=True)
class Rooms:
    """One field per noun, and who may call."""

    stores: Stores
    gate: Gate
    access: Access
    desk: TokenDesk
    blobs: Blobs
    uploads: Uploads
    manifests: Manifests
    tags: Tags
    catalog: Catalog
    referrers: ReferrersList
    metrics: Metrics
    readiness: Readiness
