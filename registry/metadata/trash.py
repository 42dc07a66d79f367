"""The trash: rows that collections and deletes removed, kept while they can be restored.

Every removal puts its rows here first, in the same transaction. The rows of one collection or delete have one `run` and
can be restored together.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Select, delete, func, insert, literal, null, select, tuple_

from registry.metadata.many_digests import batches
from registry.metadata.tables import manifests, repositories, repository_blobs, tags, trash
from registry.oci.digest import Digest

_COLUMNS = ("run", "time", "kind", "repository", "digest", "tag", "size", "media_type", "principal", "content")
COLLECTED = "gc-"
DELETED = "delete-"
UNKEPT = "retention-"


@dataclass(frozen=True, slots=True)
class Removal:
    """A run that removes content: its name, and when (seconds since the epoch)."""

    run: str
    now: float


@dataclass(frozen=True, slots=True)
class Discarded:
    """One row in the trash; see `registry.metadata.tables.trash`."""

    id: int
    kind: str
    repository: str
    digest: Digest
    tag: str
    size: int
    media_type: str
    principal: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Run:
    """What a run removed: how many of each kind, and when (seconds since the epoch)."""

    name: str
    time: float
    counts: dict[str, int]


def collection(now: float) -> Removal:
    """The removal of a new collection."""
    return Removal(_named(COLLECTED, now), now)


def deletion(now: float) -> Removal:
    """The removal of a delete."""
    return Removal(_named(DELETED, now), now)


def retention(now: float) -> Removal:
    """The removal of a run of retention."""
    return Removal(_named(UNKEPT, now), now)


def discard_manifest(connection: Connection, removal: Removal, repository_id: int, digest: Digest) -> None:
    """Copy a manifest, and the tags that point at it, to the trash before their removal."""
    here = (manifests.c.repository_id == repository_id) & (manifests.c.digest == digest)
    _discard(connection, _manifests(removal).where(here))
    _discard(connection, _tags(removal).where(tags.c.repository_id == repository_id, tags.c.digest == digest))


def discard_tag(connection: Connection, removal: Removal, repository_id: int, tag: str) -> None:
    """Copy a tag to the trash before its removal."""
    _discard(connection, _tags(removal).where(tags.c.repository_id == repository_id, tags.c.name == tag))


def discard_several(
    connection: Connection, removal: Removal, repository_id: int, gone_tags: Sequence[str], gone: Sequence[Digest]
) -> None:
    """Copy tags, and manifests without theirs, to the trash before their removal."""
    for some in batches(gone_tags):
        _discard(connection, _tags(removal).where(tags.c.repository_id == repository_id, tags.c.name.in_(some)))
    for digests in batches(gone):
        here = (manifests.c.repository_id == repository_id) & manifests.c.digest.in_(digests)
        _discard(connection, _manifests(removal).where(here))


def discard_link(connection: Connection, removal: Removal, repository_id: int, digest: Digest) -> None:
    """Copy a repository's link to a blob to the trash before its removal."""
    here = (repository_blobs.c.repository_id == repository_id) & (repository_blobs.c.digest == digest)
    _discard(connection, _links(removal).where(here))


def discard_repository(connection: Connection, removal: Removal, name: str) -> None:
    """Copy a repository with all its rows to the trash before its removal."""
    for rows in (_manifests(removal), _tags(removal), _links(removal)):
        _discard(connection, rows.where(repositories.c.name == name))


def discard_blob(connection: Connection, removal: Removal, digest: Digest, size: int) -> None:
    """Record a blob whose file was moved to the trash."""
    values = {"run": removal.run, "time": removal.now, "kind": "blob", "digest": digest, "size": size, "repository": ""}
    connection.execute(insert(trash), values | {"tag": "", "media_type": "", "principal": "", "content": None})


def runs(connection: Connection, count: int, before: tuple[float, str] | None = None) -> list[Run]:
    """At most `count` runs that can be restored, the latest first; those before the time and the name of one."""
    last = func.max(trash.c.time)
    asked = select(trash.c.run, last).group_by(trash.c.run).order_by(last.desc(), trash.c.run.desc()).limit(count)
    if before is not None:
        asked = asked.having(tuple_(last, trash.c.run) < tuple_(literal(before[0]), literal(before[1])))
    found = {name: Run(name, time, {}) for name, time in connection.execute(asked)}
    of_these = trash.c.run.in_(list(found))
    kinds = select(trash.c.run, trash.c.kind, func.count()).where(of_these).group_by(trash.c.run, trash.c.kind)
    for name, kind, number in connection.execute(kinds):
        found[name].counts[kind] = number
    return list(found.values())


def find_run(connection: Connection, name: str) -> str | None:
    """The name, when the trash has something of that run; `name` may be "" for the last collection."""
    here = trash.c.run == name if name else trash.c.run.startswith(COLLECTED)
    found: str | None = connection.execute(
        select(trash.c.run).where(here).order_by(trash.c.time.desc()).limit(1)
    ).scalar()
    return found


def contents(connection: Connection, run: str) -> list[Discarded]:
    """What a run removed, in the order for restoring it."""
    order = {"blob": 0, "manifest": 1, "link": 2, "tag": 3}
    items = _rows(connection, select(trash).where(trash.c.run == run).order_by(trash.c.id))
    return sorted(items, key=lambda item: order[item.kind])


def latest(connection: Connection, repository: str, digests: Collection[Digest]) -> list[Discarded]:
    """The manifests and links of a repository with these digests, of whatever run, each as it was last removed."""
    columns = (trash.c.kind, trash.c.digest, func.max(trash.c.id))
    here = (trash.c.repository == repository) & trash.c.kind.in_(["manifest", "link"])
    found = connection.execute(select(*columns).where(here).group_by(trash.c.kind, trash.c.digest))
    numbers = [number for _, digest, number in found if digest in digests]
    return [
        item
        for some in batches(numbers)
        for item in _rows(connection, select(trash).where(trash.c.id.in_(some)).order_by(trash.c.id))
    ]


def forget_run(connection: Connection, run: str) -> None:
    """Remove the rows of a run that was restored."""
    connection.execute(delete(trash).where(trash.c.run == run))


def forget_before(connection: Connection, time: float, count: int) -> int:
    """Remove at most `count` rows older than a time (seconds since the epoch); returns how many."""
    oldest = select(trash.c.id).where(trash.c.time < time).order_by(trash.c.time).limit(count)
    return connection.execute(delete(trash).where(trash.c.id.in_(oldest))).rowcount


def _rows(connection: Connection, question: Select[*tuple[object, ...]]) -> list[Discarded]:
    return [
        Discarded(
            row["id"],
            row["kind"],
            row["repository"],
            Digest(row["digest"]),
            row["tag"],
            row["size"],
            row["media_type"],
            row["principal"],
            row["content"],
        )
        for row in connection.execute(question).mappings()
    ]


def _named(prefix: str, now: float) -> str:
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S")
    return f"{prefix}{moment}-{uuid.uuid4().hex[:8]}"


def _discard(connection: Connection, rows: Select[*tuple[object, ...]]) -> None:
    connection.execute(insert(trash).from_select(list(_COLUMNS), rows))


def _start(removal: Removal, kind: str) -> Sequence[object]:
    return literal(removal.run), literal(removal.now), literal(kind), repositories.c.name


def _manifests(removal: Removal) -> Select[*tuple[object, ...]]:
    columns = (manifests.c.digest, literal(""), manifests.c.size, manifests.c.media_type, manifests.c.pushed_by)
    return select(*_start(removal, "manifest"), *columns, manifests.c.content).join_from(manifests, repositories)  # type: ignore[call-overload,no-any-return]


def _tags(removal: Removal) -> Select[*tuple[object, ...]]:
    columns = (tags.c.digest, tags.c.name, literal(0), literal(""), literal(""))
    return select(*_start(removal, "tag"), *columns, null()).join_from(tags, repositories)  # type: ignore[call-overload,no-any-return]


def _links(removal: Removal) -> Select[*tuple[object, ...]]:
    columns = (repository_blobs.c.digest, literal(""), repository_blobs.c.size, literal(""), literal(""))
    return select(*_start(removal, "link"), *columns, null()).join_from(repository_blobs, repositories)  # type: ignore[call-overload,no-any-return]
