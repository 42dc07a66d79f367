"""Bringing back what a collection or a delete has removed."""

import time
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
    """There is no such run in the trash."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What was brought back.

    Attributes:
        run: what had removed it.
        blobs, manifests, links, tags: how many.
        left: one sentence for each thing that was not.
    """

    run: str
    blobs: int
    manifests: int
    links: int
    tags: int
    left: tuple[str, ...]


async def undo(storage: DiskStore, metadata: SqliteStore, run: str = "") -> Undone:
    """Bring back what a run has removed, by default the last collection; beside a running server.

    Files are back before the rows that mention them. A tag that points elsewhere by now stays where it is.

    Raises:
        NothingToUndo: there is no such run, or no collection.
    """
    known = [item.name for item in await metadata.read(trash.runs)]
    name = run or next((each for each in known if each.startswith(trash.COLLECTED)), "")
    if name not in known:
        raise NothingToUndo(
            f"nothing that {run or 'a collection'} has removed can be brought back: see `basegate trash ls`"
        )
    removed = await metadata.read(trash.contents, name)
    digests = {item.digest for item in removed if item.kind in {"blob", "link"}}
    recovered = sum(storage.trash.recover(digest) for digest in digests if not storage.holds(digest))
    old = {
        item.digest: storage.read_whole(item.digest) for item in removed if item.kind == "manifest" and not item.content
    }
    return await metadata.write(_restore, name, recovered, {digest: raw for digest, raw in old.items() if raw}, storage)


def _restore(connection: Connection, run: str, recovered: int, old: dict[Digest, bytes], storage: DiskStore) -> Undone:
    restoring = _Restoring(connection, old, storage)
    for item in trash.contents(connection, run):
        restoring.restore(item)
    events.record(connection, restoring.now, restoring.happened)
    trash.forget_run(connection, run)
    count = restoring.counts
    return Undone(run, recovered, count["manifest"], count["link"], count["tag"], tuple(restoring.left))


class _Restoring:
    """One transaction that brings rows back."""

    def __init__(self, connection: Connection, old: dict[Digest, bytes], storage: DiskStore) -> None:
        self._connection = connection
        self._old = old
        self._storage = storage
        self.now = time.time()
        self.counts = {"manifest": 0, "link": 0, "tag": 0}
        self.happened: list[Event] = []
        self.left: list[str] = []

    def restore(self, item: Discarded) -> None:
        """One row."""
        if item.kind == "blob":
            return
        here = repositories.ensure(self._connection, RepositoryName(item.repository), self.now)
        work = {"manifest": self._manifest, "link": self._link, "tag": self._tag}[item.kind]
        problem = work(here, item)
        if problem:
            self.left.append(f"{item.repository}: {problem}")
        else:
            self.counts[item.kind] += 1

    def _manifest(self, here: int, item: Discarded) -> str:
        raw = item.content or self._old.get(item.digest)
        if raw is None or Digest.of(raw, item.digest.algorithm) != item.digest:
            return f"the bytes of manifest {item.digest} are lost"
        if not manifests.present(self._connection, here, [item.digest]):
            parsed = parse_manifest(raw, item.media_type)
            manifests.put(self._connection, here, Pushed(item.digest, raw, parsed, item.principal, self.now), None)
            self._tell(Kind.MANIFEST_PUSHED, item)
        return ""

    def _link(self, here: int, item: Discarded) -> str:
        if not self._storage.holds(item.digest):
            return f"blob {item.digest} is not in the trash any more"
        blobs.link(self._connection, here, item.digest, item.size, self.now)
        self._tell(Kind.BLOB_PUSHED, item)
        return ""

    def _tag(self, here: int, item: Discarded) -> str:
        tag = Tag(item.tag)
        current = tags.current(self._connection, here, tag)
        if current is not None:
            return "" if current == item.digest else f"tag {tag} points at {current} by now"
        if not manifests.present(self._connection, here, [item.digest]):
            return f"tag {tag} pointed at {item.digest}, which is not there"
        tags.point(self._connection, here, tag, item.digest, self.now, is_new=True)
        self._tell(Kind.TAG_SET, item)
        return ""

    def _tell(self, kind: Kind, item: Discarded) -> None:
        self.happened.append(Event(kind, item.repository, item.digest, item.tag, ""))
