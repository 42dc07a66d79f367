"""Signed verdicts as manifests and blobs of the store, where the settings say `stored`: the newest alone, as if pushed.

They refer to their image, also the one under the tag: so they are withheld with it, and go with it. What others have
pushed under the tag wins, and is merged with the verdict when somebody asks.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection

from policy.attestation.forms import EMPTY, Forms
from policy.attestation.settings import AttestSettings, Publication
from registry.auth.principals import ATTESTER_ID
from registry.database.precondition import Precondition
from registry.metadata import attestations as rows
from registry.metadata import manifests, transactions
from registry.metadata.store import MetadataStore
from registry.metadata.transactions import ChangeContext, ManifestChange
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.errors import OciError
from registry.oci.manifest import parse_manifest
from registry.oci.names import RepositoryName, Tag
from registry.storage.blob_store import BlobStore

_ORPHANS = 100
_AT_ONCE = 10
"""Manifests that are looked at before others have their turn."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A manifest that is to be stored, with its blobs, and its tag if it has one."""

    raw: bytes
    blobs: tuple[bytes, ...]
    tags: tuple[Tag, ...] = ()

    @property
    def change(self) -> ManifestChange:
        names = tuple({Digest.of(blob) for blob in self.blobs})
        manifest = parse_manifest(self.raw, media_types.OCI_MANIFEST)
        return ManifestChange(Digest.of(self.raw), self.raw, manifest, self.tags, names, (), ())


class StoredVerdicts:
    """Keeps what publishes verdicts.

    Args:
        storage: for the blobs.
        metadata: for the manifests.
        settings: those in force.
    """

    def __init__(self, storage: BlobStore, metadata: MetadataStore, settings: Callable[[], AttestSettings]) -> None:
        self._storage = storage
        self._metadata = metadata
        self._settings = settings

    @property
    def is_on(self) -> bool:
        """Whether any form is stored."""
        settings = self._settings()
        return Publication.STORED in {settings.referrer, settings.tag}

    async def kept(self, repository: RepositoryName, forms: Forms) -> bool:
        """Have a verdict stored, and what publishes earlier ones removed; `False` where that cannot be done now."""
        subject, wanted = forms.row.subject.digest, self._wanted(forms)
        here = await self._metadata.read(rows.kept_of, repository, subject, ATTESTER_ID)
        if here == {Digest.of(each.raw) for each in wanted}:
            return True
        at = ChangeContext(repository, ATTESTER_ID, time.time())
        try:
            for blob in {blob for each in wanted for blob in each.blobs}:
                stored = await self._storage.put(Digest.of(blob), blob)
                there = Precondition(stored.still_there)
                await self._metadata.write(transactions.take_blob, at, stored.digest, len(blob), there)
            await self._metadata.write(_renew, at, subject, [each.change for each in wanted])
        except OciError as error:  # the repository is locked, or there is no room
            structlog.get_logger(__name__).warning(
                "a signed verdict could not be stored", repository=repository, digest=subject, error=error.message
            )
            return False
        return True

    async def keep_all(self, asked: Sequence[tuple[RepositoryName, Digest]]) -> None:
        """Have the newest verdicts of some manifests stored, as far as they are signed."""
        for number, (repository, digest) in enumerate(asked):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            newest = await self._metadata.read(rows.newest, repository, digest)
            for row in newest:
                if row.signature:
                    await self.kept(repository, Forms(row))

    async def has_any(self) -> bool:
        """Whether something is stored, by other settings perhaps."""
        return await self._metadata.read_apart(rows.keeps_any, ATTESTER_ID)

    async def remove_orphans(self) -> None:
        """Remove stored verdicts whose image has gone."""
        for repository, digest in await self._metadata.read_apart(rows.orphans, ATTESTER_ID, _ORPHANS):
            at = ChangeContext(repository, ATTESTER_ID, time.time())
            try:
                await self._metadata.write(transactions.drop_manifest, at, digest)
            except OciError:  # locked, or gone already
                continue

    def _wanted(self, forms: Forms) -> Sequence[_Wanted]:
        settings, wanted = self._settings(), []
        if settings.referrer is Publication.STORED:
            wanted.append(_Wanted(forms.referrer, (EMPTY, forms.bundle)))
        if settings.tag is Publication.STORED:
            wanted.append(_Wanted(forms.tagged_in_store, (forms.config, forms.envelope), (forms.tag,)))
        return wanted


def _renew(connection: Connection, at: ChangeContext, subject: Digest, changes: Sequence[ManifestChange]) -> None:
    """Record what publishes a verdict, and remove what has published earlier ones."""
    for change in changes:
        own = all(_is_own(connection, at.repository, tag) for tag in change.tags)
        transactions.record_manifest(connection, at, change if own else replace(change, tags=()))
    for digest in rows.kept_of(connection, at.repository, subject, ATTESTER_ID) - {each.digest for each in changes}:
        transactions.drop_manifest(connection, at, digest)


def _is_own(connection: Connection, repository: RepositoryName, tag: Tag) -> bool:
    """Whether nobody else has a manifest under the tag."""
    row = manifests.find_tagged(connection, repository, tag)
    return row is None or manifests.pusher_of(connection, repository, row.digest) == ATTESTER_ID
