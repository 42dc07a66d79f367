"""The registry's services over a real data folder, for tests that need no HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from registry.auth.actions import Role
from registry.auth.principals import Principal
from registry.config.metadata import MetadataSettings
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.attributes import Attributes
from registry.content.blobs import Blobs
from registry.content.catalog import Catalog
from registry.content.deleted import Deleted
from registry.content.gc import GarbageCollector
from registry.content.manifests import Manifests, PushedManifest
from registry.content.opened_rows import open_rows
from registry.content.parsing import Parsing
from registry.content.referrers import ReferrersList
from registry.content.session_log import FILE as SESSIONS
from registry.content.session_log import SessionLog
from registry.content.session_records import OwnSessions
from registry.content.small_blob_journal import Journal, open_stores
from registry.content.tag_history import TagHistory
from registry.content.tags import Tags
from registry.content.uploads import Uploads
from registry.gate import Gate, OpenGate
from registry.metadata.sqlite_store import SqliteStore
from registry.metadata.store import MetadataStore
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.names import Reference, RepositoryName, Tag
from registry.storage.blob_store import StoredBlob
from registry.storage.disk.store import DiskStore
from tests.engines import rows_of

T = TypeVar("T")

PUSHER = Principal("11111111-1111-4111-8111-111111111111", "pusher", Role.ACR_PUSH)
REPOSITORY = RepositoryName("team/app")
OTHER = RepositoryName("team/other")

GateFactory = Callable[[DiskStore, SqliteStore], Gate]


class OpenServices:
    """One process's view of a data folder; several may be open at a time.

    Args:
        data: the folder.
        gate: makes the gate out of the stores.
        new_database: begin with no rows although the folder holds content.
        rows: opens another store of rows than that of the folder.
        groups: settings.
    """

    def __init__(
        self,
        data: Path,
        gate: GateFactory,
        *,
        new_database: bool = False,
        rows: Callable[[], MetadataStore] | None = None,
        **groups: Any,
    ) -> None:
        self.runner = asyncio.Runner()
        self.data = data
        self.settings = SettingsInForce(RegistrySettings.model_validate({"data": data, **groups}))
        self.pool = ThreadPoolExecutor(4)
        if rows is None and rows_of(data):
            elsewhere = self.settings.current.model_copy(update={"metadata": MetadataSettings(**rows_of(data))})
            rows = partial(open_rows, elsewhere, DiskStore(data, self.pool), new_database=new_database)
        if rows is None:
            self.storage, self.metadata = open_stores(data, self.pool, new_database=new_database)
        else:
            self.storage, self.metadata = DiskStore(data, self.pool), cast("SqliteStore", rows())
        self.rows = rows
        decides = gate(self.storage, self.metadata)
        everything = (self.storage, self.metadata, decides, self.settings)
        self.journal = Journal(self.storage, self.metadata, self.pool, self.settings)
        self.sessions = SessionLog(data / SESSIONS, 1000)
        self.parsing = Parsing(self.settings)
        self.blobs, self.manifests = Blobs(*everything), Manifests(*everything, self.parsing)
        self.uploads = Uploads(*everything, self.journal, OwnSessions(self.storage, self.sessions))
        self.tags = Tags(self.metadata, self.settings)
        self.tag_history = TagHistory(self.metadata, self.settings, decides)
        self.catalog = Catalog(self.metadata, self.settings)
        self.referrers = ReferrersList(self.metadata, self.settings, decides)
        self.deleted = Deleted(self.storage, self.metadata, self.settings, self.parsing)
        self.attributes = Attributes(self.metadata)
        self.collector = GarbageCollector(self.storage, self.metadata, self.settings)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end."""
        return self.runner.run(work)

    def beside(self) -> "AbstractContextManager[OpenServices]":
        """What another process has of the same folder and the same rows, or this one after a restart."""
        return open_services(self.data, rows=self.rows)

    def configure(self, **groups: Any) -> None:
        """Put other settings in force."""
        self.settings.replace(RegistrySettings.model_validate({"data": self.data, **groups}))

    def close(self) -> None:
        """Let go of the folder."""
        self.parsing.close()
        self.metadata.close()
        self.sessions.close()
        self.pool.shutdown()
        self.runner.close()

    async def push_blob(self, content: bytes, repository: RepositoryName = REPOSITORY) -> Digest:
        """Upload a blob in one go."""
        return (await self.upload(content, Digest.of(content), repository)).digest

    async def upload(self, content: bytes, digest: Digest, repository: RepositoryName = REPOSITORY) -> StoredBlob:
        """Upload bytes under a digest that need not be theirs."""
        session = await self.uploads.start(repository, PUSHER)
        return await self.uploads.finish(session, digest, pieces(content), None, len(content))

    async def push_image(
        self,
        reference: Reference | None = None,
        layers: Sequence[bytes] = (b"layer",),
        repository: RepositoryName = REPOSITORY,
        **members: Any,
    ) -> PushedManifest:
        """Push an image's blobs and its manifest, under a tag or, without a reference, under its digest."""
        for content in (b"{}", *layers):
            await self.push_blob(content, repository)
        return await self.push_manifest(image(layers, **members), reference, repository)

    async def push_manifest(
        self, raw: bytes, reference: Reference | None = None, repository: RepositoryName = REPOSITORY
    ) -> PushedManifest:
        """Push a manifest alone, under a tag or under its digest."""
        return await self.manifests.push(PUSHER, repository, reference or Digest.of(raw), raw, "")

    async def tag_names(self, repository: RepositoryName = REPOSITORY) -> tuple[Tag, ...]:
        """All tags of a repository."""
        return (await self.tags.page(repository, None, "")).items


@contextmanager
def open_services(data: Path, gate: Gate | None = None, **groups: Any) -> Iterator[OpenServices]:
    """Open a data folder until the block ends."""
    services = OpenServices(data, lambda _storage, _metadata: gate or OpenGate(), **groups)
    try:
        yield services
    finally:
        services.close()


async def pieces(*contents: bytes) -> AsyncIterator[bytes]:
    """A body that arrives in these pieces."""
    for content in contents:
        yield content


def descriptor(content: bytes, media_type: str = "application/octet-stream") -> dict[str, Any]:
    """The descriptor of some bytes."""
    return {"mediaType": media_type, "digest": Digest.of(content), "size": len(content)}


def image(layers: Sequence[bytes] = (b"layer",), /, **members: Any) -> bytes:
    """An image manifest over layers and the configuration `{}`."""
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": descriptor(b"{}", media_types.OCI_CONFIG),
        "layers": [descriptor(layer, "application/vnd.oci.image.layer.v1.tar") for layer in layers],
    }
    return json.dumps(document | members).encode()


def index(*children: bytes, **members: Any) -> bytes:
    """An index over manifests."""
    entries = [descriptor(child, media_types.OCI_MANIFEST) for child in children]
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": entries}
    return json.dumps(document | members).encode()
