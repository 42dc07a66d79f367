"""Manifests of a repository, their references and their bytes."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update

from registry.database.statement import Statement, autocommit
from registry.metadata import blobs, last_pulls, locks
from registry.metadata import repositories as named_repositories
from registry.metadata.many_digests import ManyDigests
from registry.metadata.tables import locks as lock_rows
from registry.metadata.tables import manifest_references, manifests, repositories, tags
from registry.oci.digest import Digest
from registry.oci.manifest import ImageIndex, Manifest
from registry.oci.media_types import is_manifest
from registry.oci.names import RepositoryName, Tag


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """The main columns of a manifest.

    Attributes:
        digest: its name.
        media_type: as pushed; what a pull answers as Content-Type.
        size: bytes.
        may_be_locked: whether anything in its repository is locked against reads.
    """

    digest: Digest
    media_type: str
    size: int
    may_be_locked: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Pushed:
    """A pushed manifest: its bytes and their digest, who pushed it, and when (seconds since the epoch)."""

    digest: Digest
    raw: bytes
    manifest: Manifest
    pushed_by: str
    now: float


_LOCKED = exists().where(lock_rows.c.repository_id == repositories.c.id, lock_rows.c.reads).correlate(repositories)
_COLUMNS = (manifests.c.digest, manifests.c.media_type, manifests.c.size, _LOCKED)
_BY_DIGEST = Statement(
    select(*_COLUMNS)
    .join(repositories)
    .where(repositories.c.name == bindparam("repository"), manifests.c.digest == bindparam("digest"))
)
_BY_TAG = Statement(
    select(*_COLUMNS)
    .select_from(repositories)
    .join(tags, tags.c.repository_id == repositories.c.id)
    .join(manifests, (manifests.c.repository_id == tags.c.repository_id) & (manifests.c.digest == tags.c.digest))
    .where(repositories.c.name == bindparam("repository"), tags.c.name == bindparam("tag"))
)
_HERE = (manifests.c.repository_id == bindparam("repository")) & (manifests.c.digest == bindparam("named"))
_CONTENT = Statement(
    select(manifests.c.content)
    .join(repositories)
    .where(repositories.c.name == bindparam("repository"), manifests.c.digest == bindparam("digest"))
)
_FILED = Statement(
    select(manifests.c.size)
    .join(repositories)
    .where(
        repositories.c.name == bindparam("repository"),
        manifests.c.digest == bindparam("digest"),
        manifests.c.content.is_(None),
    )
)
_PUSHER = Statement(
    select(manifests.c.pushed_by)
    .join(repositories)
    .where(repositories.c.name == bindparam("repository"), manifests.c.digest == bindparam("digest"))
)
_ID = Statement(select(manifests.c.id).where(_HERE))
_PRESENT_OF_MANY = ManyDigests(
    select(manifests.c.digest).where(manifests.c.repository_id == bindparam("repository")), manifests.c.digest
)
_GIVEN = (
    "repository_id",
    "digest",
    "media_type",
    "size",
    "artifact_type",
    "config_media_type",
    "referrer_type",
    "subject",
    "annotations",
    "pushed",
    "pushed_by",
    "created",
    "content",
)
_ADD = Statement(insert(manifests), _GIVEN)
_REFERENCE = ("manifest_id", "position", "kind", "repository_id", "digest", "media_type", "size")
_REFER = Statement(insert(manifest_references), _REFERENCE)
_REFRESH = Statement(
    update(manifests)
    .where(manifests.c.id == bindparam("row"))
    .values(created=func.coalesce(manifests.c.created, manifests.c.pushed)),
    ("pushed", "media_type", "content"),
)
_ALL = Statement(
    select(manifests.c.digest).where(manifests.c.repository_id == bindparam("repository")).order_by(manifests.c.digest)
)
_REMOVE = Statement(delete(manifests).where(_HERE))
_OF_IT = (tags.c.repository_id == bindparam("repository")) & (tags.c.digest == bindparam("named"))
_TAGS_OF = Statement(select(tags.c.name).where(_OF_IT))
_UNTAG = Statement(delete(tags).where(_OF_IT))


@autocommit
def find(connection: Connection, repository: RepositoryName, digest: Digest) -> ManifestRow | None:
    """The manifest with this digest in this repository, or `None`."""
    row = _BY_DIGEST.first(connection, {"repository": repository, "digest": digest})
    return None if row is None else ManifestRow(Digest(row[0]), row[1], row[2], bool(row[3]))


@autocommit
def find_tagged(connection: Connection, repository: RepositoryName, tag: Tag) -> ManifestRow | None:
    """The manifest a tag of this repository points at, or `None`."""
    row = _BY_TAG.first(connection, {"repository": repository, "tag": tag})
    return None if row is None else ManifestRow(Digest(row[0]), row[1], row[2], bool(row[3]))


@autocommit
def content(connection: Connection, repository: RepositoryName, digest: Digest) -> bytes | None:
    """The manifest's bytes; `None` when it is absent, or its bytes are in the blob store."""
    raw: bytes | None = _CONTENT.scalar(connection, {"repository": repository, "digest": digest})
    return raw


@autocommit
def pusher_of(connection: Connection, repository: RepositoryName, digest: Digest) -> str:
    """The id of the principal that first pushed a manifest; "" when it is absent."""
    return str(_PUSHER.scalar(connection, {"repository": repository, "digest": digest}) or "")


@autocommit
def filed(connection: Connection, repository: RepositoryName, digests: Collection[Digest]) -> dict[Digest, int]:
    """Those of the manifests whose bytes are in the blob store, with their sizes in bytes."""
    found = _FILED.first_of_each(connection, [{"repository": repository, "digest": digest} for digest in digests])
    return {digest: row[0] for digest, row in zip(digests, found, strict=True) if row is not None}


def put(connection: Connection, repository_id: int, pushed: Pushed, row_id: int | None) -> int:
    """Record a manifest and its references; resets the age of an existing one (row `row_id`). Returns its row's id."""
    if row_id is not None:
        fresh = {"row": row_id, "pushed": pushed.now, "media_type": pushed.manifest.media_type, "content": pushed.raw}
        _REFRESH.apply(connection, fresh)
        return row_id
    added = _ADD.insert(connection, {"repository_id": repository_id, **columns(pushed)})
    rows = references(pushed.manifest, added, repository_id)
    if rows:
        _REFER.change_each(connection, rows)
    return added


def remove(connection: Connection, repository_id: int, digest: Digest) -> list[Tag] | None:
    """Remove a manifest; returns the tags removed with it, or `None` when there was no such manifest."""
    here = {"repository": repository_id, "named": digest}
    vanished = [Tag(name) for (name,) in _TAGS_OF.rows(connection, here)]
    if not _REMOVE.change(connection, here):
        return None
    if vanished:
        _UNTAG.apply(connection, here)
    locks.forget(connection, repository_id, (digest, *vanished))
    last_pulls.forget(connection, repository_id, (digest, *vanished))
    return vanished


def present(connection: Connection, repository_id: int, digests: Collection[Digest]) -> set[Digest]:
    """Those of the digests that the repository holds as manifests."""
    if len(digests) > blobs.FEW:
        found = _PRESENT_OF_MANY.rows(connection, digests, {"repository": repository_id})
        return {Digest(digest) for (digest,) in found}
    rows = _ID.first_of_each(connection, [{"repository": repository_id, "named": item} for item in digests])
    return {item for item, row in zip(digests, rows, strict=True) if row is not None}


def all_of(connection: Connection, repository_id: int) -> list[Digest]:
    """All manifests of a repository, in the order of their digests."""
    return [Digest(digest) for (digest,) in _ALL.rows(connection, {"repository": repository_id})]


def absent(connection: Connection, repository: RepositoryName, digests: Collection[Digest]) -> set[Digest]:
    """Those of the digests that are not manifests of the repository with this name."""
    here = named_repositories.find(connection, repository)
    return set(digests) if here is None else set(digests) - present(connection, here, digests)


def columns(pushed: Pushed) -> dict[str, Any]:
    """The column values of a manifest."""
    manifest = pushed.manifest
    return {
        "digest": pushed.digest,
        "size": len(pushed.raw),
        "content": pushed.raw,
        "pushed": pushed.now,
        "created": pushed.now,
        "pushed_by": pushed.pushed_by,
        "media_type": manifest.media_type,
        "artifact_type": manifest.artifact_type,
        "config_media_type": "" if isinstance(manifest, ImageIndex) else manifest.config.media_type,
        "referrer_type": manifest.referrer_type,
        "subject": None if manifest.subject is None else manifest.subject.digest,
        "annotations": json.dumps(dict(manifest.annotations)),
    }


def references(manifest: Manifest, manifest_id: int, repository_id: int) -> list[dict[str, Any]]:
    """A row for each descriptor in a manifest."""
    if isinstance(manifest, ImageIndex):
        named = [("child" if is_manifest(item.media_type) else "blob", item) for item in manifest.manifests]
    else:
        named = [("config", manifest.config), *(("layer", layer) for layer in manifest.layers)]
    return [
        {
            "manifest_id": manifest_id,
            "repository_id": repository_id,
            "position": position,
            "kind": kind,
            "digest": item.digest,
            "media_type": item.media_type,
            "size": item.size,
        }
        for position, (kind, item) in enumerate(named)
    ]
