"""The question a policy answers: may this push stand, may this content be handed out?

The registry asks at every door through which image content leaves it. `OpenGate` says yes to everything; a policy
package brings its own.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Connection

from registry.auth.principals import Principal
from registry.oci.digest import Digest
from registry.oci.manifest import Manifest
from registry.oci.names import RepositoryName, Tag
from registry.storage.blob_store import StagedBytes


@dataclass(frozen=True, slots=True)
class Push:
    """A manifest about to be recorded; its blobs are in the repository, its own bytes are not stored yet."""

    repository: RepositoryName
    digest: Digest
    manifest: Manifest
    raw: bytes
    tags: tuple[Tag, ...]
    principal: Principal


Alongside = Callable[[Connection, int], None]
"""A change made in the transaction that records a manifest, given the id of its row."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate says at a door.

    Attributes:
        allowed: whether the content may leave.
        message: when refused, the whole reason for a person (docker prints only this).
        detail: when refused, the same for a program; JSON.
        warnings: texts that travel as `Warning: 299 - "…"`.
        alongside: for a push that is allowed, what is to be recorded together with the manifest.
    """

    allowed: bool
    message: str = ""
    detail: Any = None
    warnings: Sequence[str] = field(default_factory=tuple)
    alongside: Alongside | None = None


ALLOWED = Decision(allowed=True)


class Arrival(Protocol):
    """Told how far one upload has come; all methods return at once and never raise."""

    def wrote(self, size: int) -> bool:
        """There are `size` bytes that will not change. Whether it wants to hear when there are more."""
        ...

    def committed(self, digest: Digest, size: int) -> None:
        """The upload is a blob now; nothing is staged any more, the store holds the content."""
        ...

    def aborted(self) -> None:
        """The upload came to nothing."""
        ...


class Gate(Protocol):
    """A policy's seat in the registry. Implementations must be safe to call from one event loop concurrently."""

    def arriving(self, repository: RepositoryName, staging: StagedBytes) -> Arrival | None:
        """An upload begins, its bytes are seen in `staging`; `None` when the gate does not care to follow it."""
        ...

    async def before_push(self, push: Push) -> Decision:
        """Whether the manifest may be recorded. Refused: the push fails with 403 and nothing is recorded."""
        ...

    async def before_manifest_pull(
        self, principal: Principal, repository: RepositoryName, digest: Digest, tag: Tag | None
    ) -> Decision:
        """Whether the manifest may be handed to this principal; `tag` when it was asked for by tag."""
        ...

    async def withheld(
        self, principal: Principal, repository: RepositoryName, digests: Collection[Digest]
    ) -> Collection[Digest]:
        """Those of a list of manifests that may not be handed to this principal; as `before_manifest_pull` of each."""
        ...

    async def withheld_now(
        self, principal: Principal, repository: RepositoryName, digests: Collection[Digest]
    ) -> Collection[Digest]:
        """`withheld` for lists: nobody waits, what is not known yet is withheld."""
        ...

    async def before_blob_pull(self, principal: Principal, repository: RepositoryName, digest: Digest) -> Decision:
        """Whether the blob may be handed to this principal (some manifest it may pull reaches it)."""
        ...

    def generation(self) -> int:
        """A number that changes whenever an earlier decision may not hold any more; caches are keyed by it."""
        ...


class OpenGate:
    """A gate without a policy: everything is allowed."""

    def arriving(self, repository: RepositoryName, staging: StagedBytes) -> Arrival | None:  # noqa: ARG002
        """Nobody looks."""
        return None

    async def before_push(self, push: Push) -> Decision:  # noqa: ARG002
        """Every push stands."""
        return ALLOWED

    async def before_manifest_pull(
        self,
        principal: Principal,  # noqa: ARG002
        repository: RepositoryName,  # noqa: ARG002
        digest: Digest,  # noqa: ARG002
        tag: Tag | None,  # noqa: ARG002
    ) -> Decision:
        """Every manifest leaves."""
        return ALLOWED

    async def withheld(
        self,
        principal: Principal,  # noqa: ARG002
        repository: RepositoryName,  # noqa: ARG002
        digests: Collection[Digest],  # noqa: ARG002
    ) -> Collection[Digest]:
        """No manifest stays."""
        return ()

    async def withheld_now(
        self, principal: Principal, repository: RepositoryName, digests: Collection[Digest]
    ) -> Collection[Digest]:
        """As `withheld`, which never waits here."""
        return await self.withheld(principal, repository, digests)

    async def before_blob_pull(
        self,
        principal: Principal,  # noqa: ARG002
        repository: RepositoryName,  # noqa: ARG002
        digest: Digest,  # noqa: ARG002
    ) -> Decision:
        """Every blob leaves."""
        return ALLOWED

    def generation(self) -> int:
        """Nothing ever changes."""
        return 0
