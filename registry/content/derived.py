"""Derived content: manifests and blobs that no one has pushed, made from what is stored when somebody asks for them.

The registry asks for it only where it has found nothing itself, so that stored content costs nothing more; the one
exception is a tag that is shared, whose pushed manifest is merged with what is derived. Whoever may pull the manifest
that it is derived from may have it. It is never in a list of tags, and does not keep anything from being pushed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from registry.metadata.referrers import ReferrerRow
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest
from registry.oci.names import Reference, RepositoryName, Tag
from registry.storage.blob_store import OpenedBlob, StoredBlob


@dataclass(frozen=True, slots=True)
class DerivedManifest:
    """A derived manifest.

    Attributes:
        subject: the stored manifest of the repository that it is derived from.
        digest: of `raw`.
        media_type: what a pull answers as Content-Type.
        raw: its bytes.
    """

    subject: Digest
    digest: Digest
    media_type: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class DerivedBlob:
    """A derived blob; `subject` as of `DerivedManifest`, or `None` where its content tells of none."""

    subject: Digest | None
    content: bytes


@dataclass(frozen=True, kw_only=True)
class DerivedStoredBlob(StoredBlob):
    """A derived blob in the place of a stored one: its bytes are here."""

    content: bytes

    def still_there(self) -> bool:
        """Nothing takes it away."""
        return True

    def open(self) -> OpenedBlob:
        """It has no file: whoever needs one asks the store, which does not have it."""
        raise FileNotFoundError(self.digest)


class DerivedContent(Protocol):
    """What is derived. Implementations must be safe to call from one event loop concurrently."""

    async def referrers(self, repository: RepositoryName, subject: Digest, artifact_type: str) -> Sequence[ReferrerRow]:
        """Derived manifests that refer to a stored one, by their digests; `artifact_type` "" means any."""
        ...

    async def replaced(
        self, repository: RepositoryName, subject: Digest, stored: Collection[Digest]
    ) -> Collection[Digest]:
        """Those of the stored referrers in whose place the derived ones stand: they are not listed."""
        ...

    async def manifest(self, repository: RepositoryName, reference: Reference) -> DerivedManifest | None:
        """The manifest of a name under which nothing is stored."""
        ...

    def shares(self, tag: Tag) -> bool:
        """Whether what is pushed under this tag is to be merged with what is derived; asked for every pull by tag."""
        ...

    async def merged(self, repository: RepositoryName, tag: Tag, stored: bytes) -> DerivedManifest | None:
        """The stored manifest of a shared tag, merged; `None` when it is served as it is."""
        ...

    async def blob(self, repository: RepositoryName, digest: Digest) -> DerivedBlob | None:
        """The blob of a digest that the repository does not hold."""
        ...

    async def keep(self, at: ChangeContext, blobs: Collection[Digest]) -> bool:
        """Store those of the missing blobs that are derived, as if they had been pushed; whether there was one."""
        ...


class NothingDerived:
    """There is no derived content."""

    async def referrers(
        self,
        repository: RepositoryName,  # noqa: ARG002
        subject: Digest,  # noqa: ARG002
        artifact_type: str,  # noqa: ARG002
    ) -> Sequence[ReferrerRow]:
        """None."""
        return ()

    async def replaced(
        self,
        repository: RepositoryName,  # noqa: ARG002
        subject: Digest,  # noqa: ARG002
        stored: Collection[Digest],  # noqa: ARG002
    ) -> Collection[Digest]:
        """None."""
        return ()

    async def manifest(self, repository: RepositoryName, reference: Reference) -> DerivedManifest | None:  # noqa: ARG002
        """None."""
        return None

    def shares(self, tag: Tag) -> bool:  # noqa: ARG002
        """No tag."""
        return False

    async def merged(self, repository: RepositoryName, tag: Tag, stored: bytes) -> DerivedManifest | None:  # noqa: ARG002
        """As it is."""
        return None

    async def blob(self, repository: RepositoryName, digest: Digest) -> DerivedBlob | None:  # noqa: ARG002
        """None."""
        return None

    async def keep(self, at: ChangeContext, blobs: Collection[Digest]) -> bool:  # noqa: ARG002
        """There was none."""
        return False


NOTHING_DERIVED = NothingDerived()
