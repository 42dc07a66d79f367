"""Referrers: the manifests of a repository that name another manifest as their subject."""

import json
from collections.abc import Collection
from contextlib import closing
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, exists, select

from registry.database.statement import Statement, autocommit
from registry.metadata.many_digests import ManyDigests
from registry.metadata.tables import manifest_references, manifests, repositories
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName


class ReferrerRow(NamedTuple):
    """One manifest that refers to a subject.

    Attributes:
        digest: its name.
        entry: of the referrers list, as JSON in ASCII (distribution-spec, "Listing Referrers"): mediaType, size,
            digest, artifactType where there is one, annotations where there are any.
    """

    digest: Digest
    entry: str


_HELD = 1 << 20
_QUERY = (
    select(
        manifests.c.digest, manifests.c.media_type, manifests.c.size, manifests.c.referrer_type, manifests.c.annotations
    )
    .join(repositories)
    .where(
        repositories.c.name == bindparam("repository"),
        manifests.c.subject == bindparam("subject"),
        manifests.c.digest > bindparam("after"),
    )
    .order_by(manifests.c.digest)
    .limit(bindparam("count"))
)
_ALL = Statement(_QUERY)
_OF_TYPE = Statement(_QUERY.where(manifests.c.referrer_type == bindparam("type")))


_SUBJECT = Statement(
    select(manifests.c.subject)
    .join(repositories)
    .where(repositories.c.name == bindparam("repository"), manifests.c.digest == bindparam("digest"))
)


_DOUBTFUL = exists().where(
    manifest_references.c.manifest_id == manifests.c.id,
    (manifest_references.c.kind == "child")
    | (manifest_references.c.kind == "blob")
    | ((manifest_references.c.kind == "layer") & manifest_references.c.media_type.like(bindparam("like"))),
)
_WITHOUT = ManyDigests(
    select(manifests.c.digest)
    .join(repositories, repositories.c.id == manifests.c.repository_id)
    .where(repositories.c.name == bindparam("repository"), ~_DOUBTFUL),
    manifests.c.digest,
)


def without_layers_of(
    connection: Connection, repository: RepositoryName, digests: Collection[Digest], media_type: str
) -> set[Digest]:
    """Those of these manifests that are there, are no indexes, and have no layer whose media type begins so."""
    rows = _WITHOUT.rows(connection, digests, {"repository": repository, "like": f"{media_type}%"})
    return {Digest(digest) for (digest,) in rows}


@autocommit
def subjects_of(
    connection: Connection, repository: RepositoryName, digests: Collection[Digest]
) -> dict[Digest, Digest | None]:
    """The subject of each manifest, `None` for those without one; absent manifests are left out."""
    rows = {
        digest: _SUBJECT.first(connection, {"repository": repository, "digest": digest})
        for digest in dict.fromkeys(digests)
    }
    return {digest: Digest(row[0]) if row[0] else None for digest, row in rows.items() if row is not None}


@autocommit
def page(  # noqa: PLR0913
    connection: Connection, repository: RepositoryName, subject: Digest, artifact_type: str, *, after: str, count: int
) -> list[ReferrerRow]:
    """At most `count` referrers after the digest `after`; `artifact_type` "" means any.

    A page may be shorter although more follow: it ends after a MiB of annotations.
    """
    values: dict[str, Any] = {"repository": repository, "subject": subject, "after": after, "count": count}
    query = _OF_TYPE if artifact_type else _ALL
    page_rows: list[ReferrerRow] = []
    size, quoted = 0, _Quoted()
    with closing(query.each(connection, values | ({"type": artifact_type} if artifact_type else {}))) as rows:
        for row in rows:
            page_rows.append(ReferrerRow(Digest(row[0]), _entry(quoted, row)))
            size += len(row[-1])
            if size > _HELD:
                break
    return page_rows


class _Quoted(dict[str, str]):
    """Caches texts as JSON; a page has few different ones."""

    def __missing__(self, text: str) -> str:
        quoted = self[text] = json.dumps(text)
        return quoted


def _entry(quoted: _Quoted, row: tuple[str, str, int, str, str]) -> str:
    digest, media_type, size, kind, annotations = row
    artifact_type = f', "artifactType": {quoted[kind]}' if kind else ""
    # `json.dumps` wrote them when the manifest was recorded.
    notes = "" if annotations == "{}" else f', "annotations": {annotations}'
    return f'{{"mediaType": {quoted[media_type]}, "size": {size}, "digest": "{digest}"{artifact_type}{notes}}}'
