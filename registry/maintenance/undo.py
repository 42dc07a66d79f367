"""Restores what a collection or a delete has removed."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from registry.content.manifests import needed_by
from registry.errors import BasegateError
from registry.metadata import (
    blobs,
    events,
    manifests,
    repositories,
    tags,
    trash,
)
from registry.metadata.events import Event, Kind
from registry.metadata.manifests import Pushed
from registry.metadata.store import MetadataStore
from registry.metadata.trash import Discarded
from registry.oci.digest import Digest
from registry.oci.manifest import parse_manifest
from registry.oci.names import RepositoryName, Tag
from registry.storage.blob_store import MaintainedStore


class NothingToUndo(BasegateError):
    """The trash has no such run."""


@dataclass(frozen=True, slots=True)
class Undone:
    """The result of undoing a run.

    Attributes:
        run: name of the run.
        blobs, manifests, links, tags: numbers restored.
        left: one sentence for each item that was not restored.
    """

    run: str
    blobs: int
    manifests: int
    links: int
    tags: int
    left: tuple[str, ...]


async def undo(storage: MaintainedStore, metadata: MetadataStore, run: str = "", *, sparse: bool = False) -> Undone:
    """Restore what a run has removed, by default the last collection; the server may run.

    Files are restored before their rows, and what a manifest names with it, whatever run has removed that. A tag that
    points elsewhere now is not changed. `sparse`: indexes need not have their manifests.

    Raises:
        NothingToUndo: there is no such run, or no collection.
    """
    name = await metadata.read_apart(trash.find_run, run)
    if name is None:
        raise NothingToUndo(
            f"nothing that {run or 'a collection'} has removed can be brought back: see `basegate trash ls`"
        )
    wave = await metadata.read_apart(trash.contents, name)
    met = {(item.kind, item.repository, item.digest) for item in wave}
    recovered, old, named = 0, dict[Digest, bytes](), list[Discarded]()
    while wave:
        count, found = await asyncio.to_thread(_recover, storage, wave)
        recovered, old = recovered + count, old | found
        below = await metadata.read_apart(_named, wave, old)
        wave = [item for item in below if (item.kind, item.repository, item.digest) not in met]
        met |= {(item.kind, item.repository, item.digest) for item in wave}
        named += wave
    return await metadata.write(_restore, name, named, recovered, old, storage, sparse=sparse)


def _recover(storage: MaintainedStore, removed: Sequence[Discarded]) -> tuple[int, dict[Digest, bytes]]:
    """Bring the files back; how many, and the bytes of manifests that an earlier version kept as files."""
    old = [item.digest for item in removed if item.kind == "manifest" and not item.content]
    digests = {*old, *(item.digest for item in removed if item.kind in {"blob", "link"})}
    recovered = sum(storage.trash.recover(digest) for digest in digests if not storage.holds(digest))
    found = {digest: storage.read_whole(digest) for digest in old}
    return recovered, {digest: raw for digest, raw in found.items() if raw}


def _named(connection: Connection, removed: Sequence[Discarded], old: dict[Digest, bytes]) -> list[Discarded]:
    """What manifests name, and their repository has only in the trash."""
    wanted: dict[str, set[Digest]] = {}
    for item in removed:
        raw = _bytes_of(item, old) if item.kind == "manifest" else None
        if raw is not None:
            parts = needed_by(parse_manifest(raw, item.media_type), sparse=False)
            wanted.setdefault(item.repository, set()).update(*parts)
    found = []
    for name, digests in wanted.items():
        here = repositories.find(connection, RepositoryName(name))
        missing = digests if here is None else _missing(connection, here, digests)
        found += trash.latest(connection, name, missing)
    return found


def _missing(connection: Connection, repository_id: int, digests: set[Digest]) -> set[Digest]:
    without = digests - blobs.present(connection, repository_id, digests)
    return without - manifests.present(connection, repository_id, without)


def _bytes_of(item: Discarded, old: dict[Digest, bytes]) -> bytes | None:
    raw = item.content or old.get(item.digest)
    return raw if raw is not None and Digest.of(raw, item.digest.algorithm) == item.digest else None


def _restore(  # noqa: PLR0913, PLR0917
    connection: Connection,
    run: str,
    named: Sequence[Discarded],
    recovered: int,
    old: dict[Digest, bytes],
    storage: MaintainedStore,
    *,
    sparse: bool,
) -> Undone:
    restoring = _Restoring(connection, old, storage, sparse=sparse)
    for item in (*named, *trash.contents(connection, run)):
        restoring.restore(item)
    restoring.tell_missing()
    events.record(connection, restoring.now, restoring.events)
    trash.forget_run(connection, run)
    counts = restoring.counts
    return Undone(run, recovered, counts["manifest"], counts["link"], counts["tag"], tuple(restoring.left))


class _Restoring:
    """Restores rows in one transaction."""

    def __init__(
        self, connection: Connection, old: dict[Digest, bytes], storage: MaintainedStore, *, sparse: bool
    ) -> None:
        self._connection = connection
        self._old = old
        self._storage = storage
        self._sparse = sparse
        self._needed: list[tuple[int, Discarded, set[Digest]]] = []
        self._told: set[tuple[int, Digest]] = set()
        self.now = time.time()
        self.counts = {"manifest": 0, "link": 0, "tag": 0}
        self.events: list[Event] = []
        self.left: list[str] = []

    def restore(self, item: Discarded) -> None:
        """Restore one row."""
        if item.kind == "blob":
            return
        repository_id = repositories.ensure(self._connection, RepositoryName(item.repository), self.now)
        work = {"manifest": self._manifest, "link": self._link, "tag": self._tag}[item.kind]
        problem = work(repository_id, item)
        if problem:
            self.left.append(f"{item.repository}: {problem}")
        else:
            self.counts[item.kind] += 1

    def tell_missing(self) -> None:
        """Tell what restored manifests name and is not there, once."""
        for repository_id, item, needed in self._needed:
            for digest in sorted(_missing(self._connection, repository_id, needed)):
                if (repository_id, digest) not in self._told:
                    self._told.add((repository_id, digest))
                    self.left.append(f"{item.repository}: {digest}, which {item.digest} names, is not in the trash")

    def _manifest(self, repository_id: int, item: Discarded) -> str:
        raw = _bytes_of(item, self._old)
        if raw is None:
            self._told.add((repository_id, item.digest))
            return f"the bytes of manifest {item.digest} are lost"
        if not manifests.present(self._connection, repository_id, [item.digest]):
            parsed = parse_manifest(raw, item.media_type)
            manifests.put(
                self._connection, repository_id, Pushed(item.digest, raw, parsed, item.principal, self.now), None
            )
            self._record(Kind.MANIFEST_RESTORED, item)
            self._needed.append((repository_id, item, set().union(*needed_by(parsed, sparse=self._sparse))))
        return ""

    def _link(self, repository_id: int, item: Discarded) -> str:
        if not self._storage.holds(item.digest):
            self._told.add((repository_id, item.digest))
            return f"blob {item.digest} is not in the trash any more"
        blobs.link(self._connection, repository_id, item.digest, item.size, self.now)
        self._record(Kind.BLOB_PUSHED, item)
        return ""

    def _tag(self, repository_id: int, item: Discarded) -> str:
        tag = Tag(item.tag)
        current = tags.current(self._connection, repository_id, tag)
        if current is not None:
            return "" if current == item.digest else f"tag {tag} points at {current} by now"
        if not manifests.present(self._connection, repository_id, [item.digest]):
            return f"tag {tag} pointed at {item.digest}, which is not there"
        tags.point(self._connection, repository_id, tag, item.digest, self.now, is_new=True)
        self._record(Kind.TAG_SET, item)
        return ""

    def _record(self, kind: Kind, item: Discarded) -> None:
        self.events.append(Event(kind, item.repository, item.digest, item.tag, "", {"cause": "restore"}))
