"""Attributes of repositories, tags and manifests: reading them, and changing locks."""

import time
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from registry.auth.principals import Principal
from registry.content.page import Page
from registry.metadata import attributes as rows
from registry.metadata import events, locks
from registry.metadata.attributes import ManifestAttributes, PageStart, RepositoryAttributes, TagAttributes
from registry.metadata.events import Event, Kind
from registry.metadata.store import MetadataStore
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest
from registry.oci.names import Reference, RepositoryName, Tag

FIRST = PageStart()
LOCKED: Mapping[str, bool] = {"deletes": True, "writes": True}
UNLOCKED: Mapping[str, bool] = {"deletes": False, "writes": False}
"""Changes of the locks of what is to stay as it is, and of what may move and go again."""


class Attributes:
    """Reads rows alone. A thread makes the lists: they may walk a whole repository."""

    def __init__(self, metadata: MetadataStore) -> None:
        self._metadata = metadata

    async def of_repository(self, name: RepositoryName) -> RepositoryAttributes:
        """Those of a repository. Raises NameUnknown."""
        return await self._metadata.read_apart(rows.repository, name)

    async def of_tag(self, name: RepositoryName, tag: Tag) -> TagAttributes:
        """Those of a tag. Raises NameUnknown or ManifestUnknown."""
        return await self._metadata.read(rows.tag, name, tag)

    async def of_manifest(self, name: RepositoryName, digest: Digest) -> ManifestAttributes:
        """Those of a manifest. Raises NameUnknown or ManifestUnknown."""
        return await self._metadata.read(rows.manifest, name, digest)

    async def tags(
        self,
        name: RepositoryName,
        n: int,
        start: PageStart = FIRST,
        digest: Digest | None = None,
    ) -> Page[TagAttributes]:
        """At most `n` tags of a page; those of one manifest where a digest is given. Raises NameUnknown."""
        read = await self._metadata.read_apart(rows.tag_page, name, start, n + 1, digest)
        return Page(tuple(read[:n]), more=0 < n < len(read))

    async def manifests(self, name: RepositoryName, n: int, start: PageStart = FIRST) -> Page[ManifestAttributes]:
        """At most `n` manifests of a page. Raises NameUnknown."""
        read = await self._metadata.read_apart(rows.manifest_page, name, start, n + 1)
        return Page(tuple(read[:n]), more=0 < n < len(read))

    async def lock(
        self, principal: Principal, name: RepositoryName, bearer: Reference | None, change: Mapping[str, bool]
    ) -> None:
        """Change the locks of a repository, a tag or a manifest. An empty change does nothing.

        Args:
            principal: the caller.
            name: the repository.
            bearer: the tag, or the digest of the manifest.
            change: new values by field of `Locks`; fields that are absent keep theirs.

        Raises:
            NameUnknown, ManifestUnknown: there is no such thing.
        """
        if change:
            await self._metadata.write(_lock, ChangeContext(name, principal.id, time.time()), bearer, change)


def _lock(connection: Connection, at: ChangeContext, bearer: Reference | None, change: Mapping[str, bool]) -> None:
    here = rows.id_of(connection, at.repository)
    if isinstance(bearer, Tag):
        rows.tag(connection, at.repository, bearer)
    elif bearer is not None:
        rows.manifest(connection, at.repository, bearer)
    before = locks.find(connection, here, bearer or locks.REPOSITORY)
    locks.put(connection, here, bearer or locks.REPOSITORY, replace(before, **change, changed=at.now))
    digest, tag = ("", str(bearer or "")) if isinstance(bearer, Tag) else (str(bearer or ""), "")
    events.record(connection, at.now, [Event(Kind.LOCKS_SET, at.repository, digest, tag, at.principal)])
