"""Referrers: the manifests of a repository that name another manifest as their subject."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select

from registry.metadata.statement import Statement, apart
from registry.metadata.tables import manifests, repositories
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName


@dataclass(frozen=True, slots=True)
class ReferrerRow:
    """One manifest that refers to a subject.

    Attributes:
        digest: its name.
        descriptor: the entry of the referrers list (distribution-spec, "Listing Referrers"): mediaType, size,
            digest, artifactType where there is one, annotations where there are any.
    """

    digest: Digest
    descriptor: dict[str, Any]


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


@apart
def page(  # noqa: PLR0913
    connection: Connection, repository: RepositoryName, subject: Digest, artifact_type: str, *, after: str, count: int
) -> list[ReferrerRow]:
    """At most `count` referrers behind the digest `after`; `artifact_type` "" means any."""
    values: dict[str, Any] = {"repository": repository, "subject": subject, "after": after, "count": count}
    query = _OF_TYPE if artifact_type else _ALL
    return list(_rows(connection, query, values | ({"type": artifact_type} if artifact_type else {})))


def _rows(connection: Connection, query: Statement, values: dict[str, Any]) -> Iterator[ReferrerRow]:
    for digest, media_type, size, kind, annotations in query.rows(connection, values):
        descriptor: dict[str, Any] = {"mediaType": media_type, "size": size, "digest": digest}
        if kind:
            descriptor["artifactType"] = kind
        if annotations != "{}":
            descriptor["annotations"] = json.loads(annotations)
        yield ReferrerRow(Digest(digest), descriptor)
