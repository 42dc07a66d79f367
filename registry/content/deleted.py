"""Deleted content: listing it, and restoring one manifest while it is in the trash.

`registry.maintenance.undo` restores everything that one delete or collection removed, by command.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial

from registry.auth.principals import Principal
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.immutability import immutable_in
from registry.content.manifests import needed_by
from registry.content.page import Page
from registry.content.parsing import Parsing
from registry.metadata import deleted as rows
from registry.metadata import manifests as manifest_rows
from registry.metadata.deleted import DeletedManifest, DeletedTag, Returning
from registry.metadata.store import MetadataStore
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest
from registry.oci.errors import Denied, ManifestUnknown
from registry.oci.manifest import ImageIndex, parse_manifest
from registry.oci.names import RepositoryName, Tag
from registry.storage.blob_store import BlobStore

_STRIDE = 1000
_NESTING = 8


class Deleted:
    """Reads the trash. A thread makes the lists: they walk all of it."""

    def __init__(
        self,
        storage: BlobStore,
        metadata: MetadataStore,
        settings: SettingsInForce[RegistrySettings],
        parsing: Parsing,
    ) -> None:
        self._storage = storage
        self._metadata = metadata
        self._settings = settings
        self._parsing = parsing

    async def repositories(self, visible: Callable[[RepositoryName], bool], n: int, last: str) -> Page[RepositoryName]:
        """At most `n` visible repositories after `last` with content that can be restored."""
        shown: list[RepositoryName] = []
        while len(shown) <= n:
            names = await self._metadata.read_apart(rows.names, last, _STRIDE)
            shown += [name for name in names if visible(name)]
            if len(names) < _STRIDE:
                break
            last = names[-1]
        return Page(tuple(shown[:n]), more=0 < n < len(shown))

    async def manifests(self, name: RepositoryName, n: int, last: str) -> Page[DeletedManifest]:
        """At most `n` deleted manifests of a repository after `last`, by digest."""
        read = await self._metadata.read_apart(rows.manifests_of, name, last, n + 1)
        return Page(tuple(read[:n]), more=0 < n < len(read))

    async def tags(self, name: RepositoryName, n: int, after: int) -> Page[tuple[int, DeletedTag]]:
        """At most `n` deleted tags of a repository with their numbers, after a number; in order of deletion."""
        read = await self._metadata.read_apart(rows.tags_of, name, after, n + 1)
        return Page(tuple(read[:n]), more=0 < n < len(read))

    async def restore(
        self, principal: Principal, name: RepositoryName, digest: Digest, tag: Tag | None, *, force: bool
    ) -> None:
        """Restore a manifest with everything that it names, and set a tag.

        Args:
            principal: the caller.
            name: the repository.
            digest: the manifest; it may still be there when only its tag was deleted.
            tag: to be set, or `None`.
            force: whether to move a tag that points elsewhere now.

        Raises:
            ManifestUnknown: neither the repository nor the trash has it, or something that it names is gone.
            Denied: the tag is immutable and points elsewhere.
            Unsupported: the tag points elsewhere now, and `force` is not set.
            Locked: the repository, or the tag that would move, is locked against writes.
        """
        at = ChangeContext(name, principal.id, time.time())
        await self._require_movable(name, digest, tag)
        returning = await self._collect(name, digest, _NESTING, set())
        if not returning and await self._metadata.read(manifest_rows.find, name, digest) is None:
            raise ManifestUnknown(f"the trash has no manifest {digest} of {name}", {"digest": digest})
        if returning:
            await self._metadata.write(rows.bring_back, at, returning, await self._recover(name, returning))
            for item in returning:
                self._storage.quarantine.manifest_is_whole(item.digest)
        if tag is not None:
            await self._metadata.write(rows.tag_again, at, tag, digest, force=force)

    async def _require_movable(self, name: RepositoryName, digest: Digest, tag: Tag | None) -> None:
        if tag is None or not immutable_in(self._settings.current, name)(tag):
            return
        current = await self._metadata.read(manifest_rows.find_tagged, name, tag)
        if current is not None and current.digest != digest:
            raise Denied(f"tag {name}:{tag} is immutable and points at {current.digest}", {"tag": tag})

    async def _collect(self, name: RepositoryName, digest: Digest, nesting: int, met: set[Digest]) -> list[Returning]:
        """The manifest and those that it needs, as far as they are in the trash, each once; dependencies first."""
        if digest in met or nesting == 0:
            return []
        met.add(digest)
        row = await self._metadata.read(rows.find, name, digest)
        if row is None:
            return []
        media_type, principal, size, raw = row
        raw = raw if raw is not None else await self._storage.get(digest, size)
        if raw is None or Digest.of(raw, digest.algorithm) != digest:
            raise ManifestUnknown(f"the bytes of manifest {digest} are lost", {"digest": digest})
        manifest = await self._parsing.read(len(raw), partial(parse_manifest, raw, media_type))
        below: list[Returning] = []
        if isinstance(manifest, ImageIndex):
            for child in manifest.manifests:
                below += await self._collect(name, child.digest, nesting - 1, met)
        blobs, children, members = needed_by(manifest, sparse=self._settings.current.manifests.sparse_indexes)
        needed = frozenset((*blobs, *children, *members))
        return [*below, Returning(digest, media_type, principal, raw, manifest, needed)]

    async def _recover(self, name: RepositoryName, returning: list[Returning]) -> dict[Digest, int]:
        """Restore files before the rows that name them. Returns the blobs with their sizes in bytes."""
        named = {
            each.digest: each.size
            for item in returning
            for each in (
                item.manifest.manifests
                if isinstance(item.manifest, ImageIndex)
                else (item.manifest.config, *item.manifest.layers)
            )
        }
        wanted = await self._metadata.read_apart(rows.links, name, list(named))
        sizes: dict[Digest, int] = {}
        for digest in wanted:
            if await self._storage.stat(digest) is None:
                await asyncio.to_thread(self._storage.trash.recover, digest)
            blob = await self._storage.stat(digest)
            if blob is not None:
                sizes[digest] = blob.size
        return sizes
