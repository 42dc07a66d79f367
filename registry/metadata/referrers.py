"""Referrers: the manifests of a repository that name another manifest as their subject."""

import json
from contextlib import closing
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


@apart
def page(  # noqa: PLR0913
    connection: Connection, repository: RepositoryName, subject: Digest, artifact_type: str, *, after: str, count: int
) -> list[ReferrerRow]:
    """At most `count` referrers behind the digest `after`; `artifact_type` "" means any.

    There may be fewer although more follow: no more than a MiB of annotations is held, or those of one manifest.
    """
    values: dict[str, Any] = {"repository": repository, "subject": subject, "after": after, "count": count}
    query = _OF_TYPE if artifact_type else _ALL
    found: list[ReferrerRow] = []
    held = 0
    with closing(query.each(connection, values | ({"type": artifact_type} if artifact_type else {}))) as rows:
        for row in rows:
            found.append(_row(*row))
            held += len(row[-1])
            if held > _HELD:
                break
    return found


def _row(digest: str, media_type: str, size: int, kind: str, annotations: str) -> ReferrerRow:
    descriptor: dict[str, Any] = {"mediaType": media_type, "size": size, "digest": digest}
    if kind:
        descriptor["artifactType"] = kind
    if annotations != "{}":
        descriptor["annotations"] = json.loads(annotations)
    return ReferrerRow(Digest(digest), descriptor)
