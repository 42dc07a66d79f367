"""What is damaged of the content of upstreams: nobody pushes it again, so it is fetched again."""

from registry.metadata.reachability import reaches_any
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from registry.storage.blob_store import BlobStore


class Damage:
    """Tells which manifests cannot be handed out as they are here."""

    def __init__(self, storage: BlobStore, metadata: MetadataStore) -> None:
        self._quarantine = storage.quarantine
        self._metadata = metadata
        self._manifests: frozenset[Digest] = frozenset()
        self._generation = -1

    async def spoils(self, repository: RepositoryName, digest: Digest) -> bool:
        """Whether a manifest is damaged, or a blob that it names, directly or through its manifests."""
        if digest in self._damaged_manifests():
            return True
        blobs = self._quarantine.withheld()
        return bool(blobs) and await self._metadata.read(reaches_any, repository, digest, blobs) is not None

    def _damaged_manifests(self) -> frozenset[Digest]:
        generation = self._quarantine.generation()
        if generation != self._generation:
            self._manifests = frozenset(item.digest for item in self._quarantine.held() if item.is_manifest)
            self._generation = generation
        return self._manifests
