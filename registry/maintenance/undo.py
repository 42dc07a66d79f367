"""Restores what a collection or a delete has removed."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

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
from registry.metadata.sqlite_store import SqliteStore
from registry.metadata.trash import Discarded
from registry.oci.digest import Digest
from registry.oci.manifest import parse_manifest
from registry.oci.names import RepositoryName, Tag
from registry.storage.disk.store import DiskStore


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


async def undo(storage: DiskStore, metadata: SqliteStore, run: str = "") -> Undone:
    """Restore what a run has removed, by default the last collection; the server may run.

    Files are restored before their rows. A tag that points elsewhere now is not changed.

    Raises:
        NothingToUndo: there is no such run, or no collection.
    """
    runs = [item.name for item in await metadata.read(trash.runs)]
    name = run or next((each for each in runs if each.startswith(trash.COLLECTED)), "")
    if name not in runs:
        raise NothingToUndo(
            f"nothing that {run or 'a collection'} has removed can be brought back: see `basegate trash ls`"
        )
    removed = await metadata.read_apart(trash.contents, name)
    recovered, old = await asyncio.to_thread(_recover, storage, removed)
    return await metadata.write(_restore, name, recovered, old, storage)


def _recover(storage: DiskStore, removed: Sequence[Discarded]) -> tuple[int, dict[Digest, bytes]]:
    """Bring the files back; how many, and the bytes of manifests that an earlier version kept as files."""
    digests = {item.digest for item in removed if item.kind in {"blob", "link"}}
    recovered = sum(storage.trash.recover(digest) for digest in digests if not storage.holds(digest))
    old = [item.digest for item in removed if item.kind == "manifest" and not item.content]
    found = {digest: storage.read_whole(digest) for digest in old}
    return recovered, {digest: raw for digest, raw in found.items() if raw}


def _restore(connection: Connection, run: str, recovered: int, old: dict[Digest, bytes], storage: DiskStore) -> Undone:
    restoring = _Restoring(connection, old, storage)
    for item in trash.contents(connection, run):
        restoring.restore(item)
    events.record(connection, restoring.now, restoring.events)
    trash.forget_run(connection, run)
    counts = restoring.counts
    return Undone(run, recovered, counts["manifest"], counts["link"], counts["tag"], tuple(restoring.left))


class _Restoring:
    """Restores rows in one transaction."""

    def __init__(self, connection: Connection, old: dict[Digest, bytes], storage: DiskStore) -> None:
        self._connection = connection
        self._old = old
        self._storage = storage
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

    def _manifest(self, repository_id: int, item: Discarded) -> str:
        raw = item.content or self._old.get(item.digest)
        if raw is None or Digest.of(raw, item.digest.algorithm) != item.digest:
            return f"the bytes of manifest {item.digest} are lost"
        if not manifests.present(self._connection, repository_id, [item.digest]):
            parsed = parse_manifest(raw, item.media_type)
            manifests.put(
                self._connection, repository_id, Pushed(item.digest, raw, parsed, item.principal, self.now), None
            )
            self._record(Kind.MANIFEST_RESTORED, item)
        return ""

    def _link(self, repository_id: int, item: Discarded) -> str:
        if not self._storage.holds(item.digest):
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
