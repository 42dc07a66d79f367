"""Finding and repairing wrong rows: the queries and changes of `basegate verify`."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, insert, select, update

from registry.metadata import manifests as manifest_rows
from registry.metadata.garbage import referenced
from registry.metadata.manifests import Pushed
from registry.metadata.tables import manifest_references, manifests, repositories, repository_blobs, tags
from registry.oci.digest import Digest
from registry.oci.manifest import Manifest
from registry.oci.media_types import FOREIGN_LAYERS

_FROM_CONTENT = ("media_type", "size", "artifact_type", "config_media_type", "referrer_type", "subject", "annotations")
_PAGE = (
    select(manifests.c.id, repositories.c.name, manifests.c.digest, manifests.c.media_type, manifests.c.content)
    .join(repositories)
    .where(manifests.c.id > bindparam("after"))
    .order_by(manifests.c.id)
    .limit(bindparam("count"))
)
_UNLINKED = (
    select(manifest_references.c.digest)
    .where(
        manifest_references.c.manifest_id == bindparam("row"),
        manifest_references.c.kind != "child",
        manifest_references.c.media_type.not_in(FOREIGN_LAYERS),
        ~exists().where(
            repository_blobs.c.repository_id == manifest_references.c.repository_id,
            repository_blobs.c.digest == manifest_references.c.digest,
        ),
        # A member of an index may be a manifest although its media type is not a manifest's.
        ~exists().where(
            manifests.c.repository_id == manifest_references.c.repository_id,
            manifests.c.digest == manifest_references.c.digest,
            manifest_references.c.kind == "blob",
        ),
    )
    .distinct()
)
_DANGLING = (
    select(repositories.c.name, tags.c.name, tags.c.digest)
    .join_from(tags, repositories)
    .where(~exists().where(manifests.c.repository_id == tags.c.repository_id, manifests.c.digest == tags.c.digest))
)


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest's row; `content` is `None` where the bytes are in the blob store."""

    id: int
    repository: str
    digest: Digest
    media_type: str
    content: bytes | None


def manifest_rows_behind(connection: Connection, after: int, count: int) -> list[StoredManifest]:
    """At most `count` manifests whose row number is above `after`."""
    rows = connection.execute(_PAGE, {"after": after, "count": count})
    return [StoredManifest(row, name, Digest(digest), kind, content) for row, name, digest, kind, content in rows]


def is_recorded(connection: Connection, row: int) -> bool:
    """Whether the manifest is still there."""
    return connection.execute(select(manifests.c.id).where(manifests.c.id == row)).first() is not None


def row_fits(connection: Connection, row: int, manifest: Manifest, size: int) -> bool:
    """Whether a manifest's row and references match its bytes; true when the row is gone."""
    stored = connection.execute(select(manifests).where(manifests.c.id == row)).mappings().first()
    if stored is None:
        return True
    wanted = _wanted(manifest, size)
    return all(stored[name] == wanted[name] for name in _FROM_CONTENT) and _references(connection, row) == [
        tuple(each[name] for name in ("position", "kind", "digest", "media_type", "size"))
        for each in manifest_rows.references(manifest, row, 0)
    ]


def write_row(connection: Connection, row: int, manifest: Manifest, size: int) -> None:
    """Make a manifest's row and references match its bytes."""
    connection.execute(update(manifests).where(manifests.c.id == row).values(**_wanted(manifest, size)))
    here = connection.execute(select(manifests.c.repository_id).where(manifests.c.id == row)).scalar_one()
    connection.execute(delete(manifest_references).where(manifest_references.c.manifest_id == row))
    rows = manifest_rows.references(manifest, row, here)
    if rows:
        connection.execute(insert(manifest_references), rows)


def put_content(connection: Connection, row: int, content: bytes) -> None:
    """Set the bytes of a manifest."""
    connection.execute(update(manifests).where(manifests.c.id == row).values(content=content))


def unlinked(connection: Connection, row: int) -> list[Digest]:
    """Blobs that a manifest names and its repository does not hold, without non-distributable layers."""
    return [Digest(digest) for (digest,) in connection.execute(_UNLINKED, {"row": row})]


def link(connection: Connection, row: int, digest: Digest, size: int) -> None:
    """Link an existing blob to the repository of a manifest."""
    here = connection.execute(select(manifests.c.repository_id).where(manifests.c.id == row)).scalar_one()
    pushed = connection.execute(select(manifests.c.pushed).where(manifests.c.id == row)).scalar_one()
    values = {"repository_id": here, "digest": digest, "size": size, "created": pushed}
    connection.execute(insert(repository_blobs).values(values))


def put_size(connection: Connection, digest: Digest, size: int) -> None:
    """Set the size in bytes of a blob in all rows."""
    connection.execute(update(repository_blobs).where(repository_blobs.c.digest == digest).values(size=size))


def dangling_tags(connection: Connection) -> list[tuple[str, str, str]]:
    """Repository, tag and digest of the tags that point at no manifest."""
    return [(name, tag, digest) for name, tag, digest in connection.execute(_DANGLING)]


def drop_tag(connection: Connection, repository: str, tag: str) -> None:
    """Remove a dangling tag."""
    here = select(repositories.c.id).where(repositories.c.name == repository).scalar_subquery()
    connection.execute(delete(tags).where(and_(tags.c.repository_id == here, tags.c.name == tag)))


def counted(connection: Connection) -> dict[str, int]:
    """How many repositories, manifests and tags there are."""
    counts = {each.name: connection.execute(select(func.count()).select_from(each)).scalar_one() for each in _COUNTED}
    return {name: int(number) for name, number in counts.items()}


_COUNTED = (repositories, manifests, tags)


def known(connection: Connection, digests: Collection[Digest]) -> set[Digest]:
    """Those of the digests that any repository holds, as blob or as manifest."""
    return referenced(connection, digests)


def _wanted(manifest: Manifest, size: int) -> dict[str, Any]:
    pushed = Pushed(Digest(""), b"", manifest, "", 0.0)
    row = manifest_rows.columns(pushed)
    return {name: row[name] for name in _FROM_CONTENT} | {"size": size, "annotations": dict(manifest.annotations)}


def _references(connection: Connection, row: int) -> list[tuple[Any, ...]]:
    question = (
        select(*(manifest_references.c[name] for name in ("position", "kind", "digest", "media_type", "size")))
        .where(manifest_references.c.manifest_id == row)
        .order_by(manifest_references.c.position)
    )
    return [tuple(each) for each in connection.execute(question)]
