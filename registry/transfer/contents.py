"""What transfers move, and between what: sources, targets, and the descriptors both speak of."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from registry.oci.names import Reference, Tag

Content = Callable[[int], AsyncIterator[bytes]]
"""The bytes of a blob from an offset on."""


@dataclass(frozen=True, slots=True)
class SourceImage:
    """One image, index or artifact that a source offers.

    Attributes:
        descriptor: of its manifest.
        tag: what it would be tagged; `None` without one.
        name: how the source calls it, for people: `debian:12`, `v1`, a digest.
    """

    descriptor: Descriptor
    tag: Tag | None
    name: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a target says of a manifest that it has taken.

    Attributes:
        warnings: soft findings of a gate.
    """

    warnings: tuple[str, ...] = ()


class Source(Protocol):
    """Where content comes from. Digests are checked by whoever reads."""

    async def images(self) -> Sequence[SourceImage]:
        """What it offers, in its own order. Raises SourceUnusable."""
        ...

    async def manifest(self, descriptor: Descriptor) -> bytes:
        """The bytes of a manifest. Raises SourceUnusable: it is missing, or too long."""
        ...

    def blob(self, descriptor: Descriptor, start: int = 0) -> AsyncIterator[bytes]:
        """The bytes of a blob from an offset on. Raises SourceUnusable: it is missing, or cannot be read to its end."""
        ...

    async def holds(self, descriptor: Descriptor) -> bool:
        """Whether it has a blob. Raises SourceUnusable."""
        ...

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """The manifests that name another as their subject."""
        ...

    async def close(self) -> None:
        """Let go of what is open."""
        ...


class Target(Protocol):
    """A repository that content goes to."""

    async def has_blob(self, descriptor: Descriptor) -> bool:
        """Whether it holds a blob; one that it holds stays for now."""
        ...

    async def put_blob(self, descriptor: Descriptor, content: Content) -> None:
        """Take a blob durably. Raises BasegateError: the bytes are others than announced, or it does not take them."""
        ...

    async def digest_of(self, reference: Reference) -> Digest | None:
        """The digest of a manifest that it holds whole."""
        ...

    async def put_manifest(self, reference: Reference, raw: bytes, media_type: str) -> Recorded:
        """Record a manifest, all whose content it holds. Raises BasegateError: it does not take it."""
        ...

    async def close(self) -> None:
        """Let go of what is open."""
        ...
