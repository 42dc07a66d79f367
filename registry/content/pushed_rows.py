"""The rows of a manifest that is pushed: what it needs is looked up, and it is recorded; long ones in short turns."""

from collections.abc import Mapping
from functools import partial

from sqlalchemy import Connection

from registry.caches import AnswerCache
from registry.content.parsing import Parsing, in_short_turns
from registry.content.presence import missing_among, tell_missing
from registry.content.quotas import require_room
from registry.database.statement import autocommit, takes_room
from registry.metadata import blobs, tags, transactions
from registry.metadata import manifests as rows
from registry.metadata.store import MetadataStore
from registry.metadata.transactions import ChangeContext, ManifestChange
from registry.metadata.unknown_content import unknown_content
from registry.oci.digest import Digest
from registry.storage.blob_store import BlobStore

_ANSWERS = 10_000


class PushedRows:
    """Looks up and records manifests.

    Args:
        storage: has the files of what manifests name.
        metadata: has the rows.
        parsing: says which manifests are long.
    """

    def __init__(self, storage: BlobStore, metadata: MetadataStore, parsing: Parsing) -> None:
        self._storage = storage
        self._metadata = metadata
        self._parsing = parsing
        self._sizes: AnswerCache[Mapping[Digest, int]] = AnswerCache(_ANSWERS)

    async def require_acceptable(self, at: ChangeContext, change: ManifestChange) -> None:
        """Check before asking the gate. Rows are read once for the same blobs, until a repository loses one.

        The transaction checks again. Files are checked each time: one may go missing without a change of rows.

        Raises:
            ManifestBlobUnknown: the repository, or the store, has not all that the manifest names.
            Denied, Locked, QuotaExceeded: as `record`.
        """
        generation, key = self._metadata.losses_generation(), (at.repository, change.blobs)
        asks_more = change.children or change.members or change.frozen or at.quota is not None
        sizes = None if asks_more else self._sizes.get(key, generation)
        if sizes is None:
            if self._parsing.is_long(len(change.raw)):
                sizes = await self._metadata.read_apart(_require_long_acceptable, at, change)
            else:
                sizes = await self._metadata.read(_require_acceptable, at, change)
            self._sizes.put(key, generation, sizes)
        missing = await missing_among(self._storage, sizes)
        if missing:
            await tell_missing(self._storage, self._metadata, at.repository, missing)
            raise unknown_content(missing, "whose bytes are not here any more: push it again")

    async def record(self, at: ChangeContext, change: ManifestChange) -> None:
        """Record the manifest, its bytes, its references and its tags: `transactions.record_manifest`."""
        is_long = self._parsing.is_long(len(change.raw))
        await self._metadata.write(_record_long if is_long else transactions.record_manifest, at, change)


@autocommit
def _require_acceptable(connection: Connection, at: ChangeContext, change: ManifestChange) -> dict[Digest, int]:
    """Make the checks of the transaction before the gate's work.

    Returns the sizes in bytes of what has to be in files.
    """
    lookup = transactions.ground_of(connection, at, change)
    transactions.require_content(connection, lookup, change)
    transactions.require_writable(connection, at.repository, lookup, change)
    if at.quota is not None:
        require_room(connection, at.repository, at.quota, len(change.raw))
    for tag in change.frozen:
        before = tags.find(connection, at.repository, tag)
        if before not in {None, change.digest}:
            raise transactions.immutable(at.repository, tag, before or change.digest)
    children = rows.filed(connection, at.repository, (*change.children, *change.members))
    return {**blobs.sizes_of(connection, at.repository, (*change.blobs, *change.members)), **children}


@autocommit
def _require_long_acceptable(connection: Connection, at: ChangeContext, change: ManifestChange) -> dict[Digest, int]:
    return in_short_turns(partial(_require_acceptable, connection, at, change))


@takes_room
def _record_long(connection: Connection, at: ChangeContext, change: ManifestChange) -> None:
    in_short_turns(partial(transactions.record_manifest, connection, at, change))
