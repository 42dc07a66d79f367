"""Attestations: signed statements about manifests, made by whoever joined the registry.

They belong to the row of their manifest, and are removed with it. The registry does not interpret a statement. The
newest one of a manifest is the one that counts; earlier ones are its history. A statement may be recorded before it is
signed. What publishes it, manifests and blobs that are not stored, is found by its digests.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update

from registry.database import dialects
from registry.database.statement import Statement, autocommit
from registry.metadata.manifests import ManifestRow
from registry.metadata.many_digests import batches
from registry.metadata.tables import attestations, attested_content, manifests, repositories
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName


@dataclass(frozen=True, slots=True)
class AttestationRow:
    """One attestation.

    Attributes:
        id: of its row; a later one has a higher id.
        subject: the manifest that it is about.
        statement: an in-toto statement, the bytes that are signed.
        made: seconds since the epoch.
        key: id of the key that signed it; "" until it is signed.
        signature: empty until it is signed.
    """

    id: int
    subject: ManifestRow
    statement: bytes
    made: float
    key: str = ""
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature of one attestation, the id of its key, and the digests of what publishes it."""

    id: int
    key: str
    signature: bytes
    published_as: Sequence[Digest]


_COLUMNS = (
    attestations.c.id,
    manifests.c.digest,
    manifests.c.media_type,
    manifests.c.size,
    attestations.c.statement,
    attestations.c.made,
    attestations.c.key,
    attestations.c.signature,
)
_OF = (
    select(*_COLUMNS)
    .join(manifests, manifests.c.id == attestations.c.manifest_id)
    .join(repositories)
    .where(repositories.c.name == bindparam("repository"), manifests.c.digest == bindparam("digest"))
    .order_by(attestations.c.id.desc())
    .limit(bindparam("count"))
)
_NEWEST = Statement(_OF)
_OF_ROW = Statement(
    select(*_COLUMNS)
    .join(manifests, manifests.c.id == attestations.c.manifest_id)
    .where(attestations.c.manifest_id == bindparam("row"))
    .order_by(attestations.c.id.desc())
    .limit(1)
)
_LAST_OF = (
    select(func.max(attestations.c.id))
    .where(attestations.c.manifest_id.in_(bindparam("rows", expanding=True)))
    .group_by(attestations.c.manifest_id)
)
_NEWEST_AMONG = (
    select(attestations.c.manifest_id, *_COLUMNS)
    .join(manifests, manifests.c.id == attestations.c.manifest_id)
    .where(attestations.c.id.in_(_LAST_OF))
)
_ROW = Statement(
    select(manifests.c.id)
    .join(repositories)
    .where(repositories.c.name == bindparam("repository"), manifests.c.digest == bindparam("digest"))
)
_ADD = Statement(insert(attestations), ("manifest_id", "statement", "made", "key", "signature"))
_SIGN = Statement(
    update(attestations).where(attestations.c.id == bindparam("row"), attestations.c.signature.is_(None)),
    ("key", "signature"),
)
_PUBLISH = Statement(insert(attested_content), ("digest", "attestation_id"))
_PUBLISH_ALSO = Statement(
    dialects.unless_there(
        dialects.insert(attested_content).from_select(
            ["digest", "attestation_id"],
            select(bindparam("digest", type_=attested_content.c.digest.type), attestations.c.id).where(
                attestations.c.id == bindparam("attestation")
            ),
        )
    )
)
_PUBLISHED = Statement(
    select(*_COLUMNS)
    .select_from(attested_content)
    .join(attestations, attestations.c.id == attested_content.c.attestation_id)
    .join(manifests, manifests.c.id == attestations.c.manifest_id)
    .join(repositories)
    .where(attested_content.c.digest == bindparam("digest"), repositories.c.name == bindparam("repository"))
    .limit(1)
)
_UNSIGNED = Statement(
    select(*_COLUMNS)
    .join(manifests, manifests.c.id == attestations.c.manifest_id)
    .where(attestations.c.signature.is_(None))
    .order_by(attestations.c.id)
    .limit(bindparam("count"))
)
_ANY = Statement(
    select(attestations.c.id)
    .join(manifests, manifests.c.id == attestations.c.manifest_id)
    .join(repositories)
    .where(repositories.c.name == bindparam("repository"))
    .limit(1)
)
_PLACE = Statement(
    select(repositories.c.name, manifests.c.digest)
    .select_from(attestations)
    .join(manifests, manifests.c.id == attestations.c.manifest_id)
    .join(repositories)
    .where(attestations.c.id == bindparam("row"))
)
_KEPT_OF = Statement(
    select(manifests.c.digest)
    .join(repositories)
    .where(
        repositories.c.name == bindparam("repository"),
        manifests.c.subject == bindparam("subject"),
        manifests.c.pushed_by == bindparam("pusher"),
    )
)
_KEEPS_ANY = (
    select(manifests.c.id)
    .where(manifests.c.subject.is_not(None), manifests.c.pushed_by == bindparam("pusher"))
    .limit(1)
)
_subjects = manifests.alias("subjects")
_ORPHANS = (
    select(repositories.c.name, manifests.c.digest)
    .join(repositories)
    .where(
        manifests.c.subject.is_not(None),
        manifests.c.pushed_by == bindparam("pusher"),
        ~exists().where(
            _subjects.c.repository_id == manifests.c.repository_id, _subjects.c.digest == manifests.c.subject
        ),
    )
    .limit(bindparam("count"))
)
_KEPT = (
    select(attestations.c.id)
    .where(attestations.c.manifest_id == bindparam("row"))
    .order_by(attestations.c.id.desc())
    .limit(bindparam("count"))
)
_TRIM = Statement(
    delete(attestations).where(attestations.c.manifest_id == bindparam("row"), attestations.c.id.not_in(_KEPT))
)


@autocommit
def newest(connection: Connection, repository: RepositoryName, digest: Digest, count: int = 1) -> list[AttestationRow]:
    """The last `count` attestations of a manifest, the newest first."""
    rows = _NEWEST.rows(connection, {"repository": repository, "digest": digest, "count": count})
    return [_attestation(row) for row in rows]


@autocommit
def published(connection: Connection, repository: RepositoryName, digest: Digest) -> AttestationRow | None:
    """The attestation that a manifest or blob of this digest publishes in the repository."""
    row = _PUBLISHED.first(connection, {"repository": repository, "digest": digest})
    return None if row is None else _attestation(row)


def published_among(connection: Connection, repository: RepositoryName, digests: Collection[Digest]) -> set[Digest]:
    """Those of these digests that an attestation publishes in the repository. To be read apart: they may be many."""
    found: set[Digest] = set()
    here = (
        select(attested_content.c.digest)
        .join(attestations, attestations.c.id == attested_content.c.attestation_id)
        .join(manifests, manifests.c.id == attestations.c.manifest_id)
        .join(repositories)
        .where(repositories.c.name == repository)
    )
    for batch in batches(digests):
        found.update(connection.execute(here.where(attested_content.c.digest.in_(batch))).scalars())
    return found


def publish(connection: Connection, attestation_id: int, digest: Digest) -> None:
    """Record that a further manifest publishes an attestation; nothing for one that has gone."""
    _PUBLISH_ALSO.apply(connection, {"digest": digest, "attestation": attestation_id})


@autocommit
def unsigned(connection: Connection, count: int) -> list[AttestationRow]:
    """Attestations that are not signed yet, the earliest first."""
    return [_attestation(row) for row in _UNSIGNED.rows(connection, {"count": count})]


@autocommit
def places_of(connection: Connection, ids: Iterable[int]) -> list[tuple[RepositoryName, Digest]]:
    """Repository and manifest of some attestations; those that have gone are left out."""
    found = (_PLACE.first(connection, {"row": each}) for each in ids)
    return [(RepositoryName(row[0]), Digest(row[1])) for row in found if row is not None]


@autocommit
def kept_of(connection: Connection, repository: RepositoryName, subject: Digest, pusher: str) -> frozenset[Digest]:
    """The stored manifests that refer to one, and were recorded by this principal."""
    rows = _KEPT_OF.rows(connection, {"repository": repository, "subject": subject, "pusher": pusher})
    return frozenset(Digest(row[0]) for row in rows)


def keeps_any(connection: Connection, pusher: str) -> bool:
    """Whether a manifest that refers to another was recorded by this principal."""
    return connection.execute(_KEEPS_ANY, {"pusher": pusher}).first() is not None


def orphans(connection: Connection, pusher: str, count: int) -> list[tuple[RepositoryName, Digest]]:
    """At most `count` stored manifests recorded by this principal that refer to one that is gone."""
    rows = connection.execute(_ORPHANS, {"pusher": pusher, "count": count})
    return [(RepositoryName(row[0]), Digest(row[1])) for row in rows]


def any_in(connection: Connection, repository: RepositoryName) -> bool:
    """Whether anything is attested in a repository."""
    return _ANY.first(connection, {"repository": repository}) is not None


def row_of(connection: Connection, repository: RepositoryName, digest: Digest) -> int | None:
    """The id of a manifest's row; `None` when the repository does not hold it."""
    found: int | None = _ROW.scalar(connection, {"repository": repository, "digest": digest})
    return found


def newest_of(connection: Connection, manifest_id: int) -> AttestationRow | None:
    """The newest attestation of a manifest, by the id of its row."""
    row = _OF_ROW.first(connection, {"row": manifest_id})
    return None if row is None else _attestation(row)


def newest_among(connection: Connection, manifest_ids: Collection[int]) -> dict[int, AttestationRow]:
    """The newest attestation of each of many manifests, by the id of its row; those without one are left out."""
    found = connection.execute(_NEWEST_AMONG, {"rows": list(manifest_ids)})
    return {manifest_id: _attestation(row) for manifest_id, *row in found}


def add(connection: Connection, manifest_id: int, statement: bytes, made: float) -> None:
    """Record a statement about a manifest, to be signed later."""
    row = {"manifest_id": manifest_id, "statement": statement, "made": made, "key": None, "signature": None}
    _ADD.apply(connection, row)


def trim(connection: Connection, manifest_id: int, kept: int) -> None:
    """Keep only the last `kept` attestations of a manifest."""
    _TRIM.apply(connection, {"row": manifest_id, "count": kept})


def sign_all(connection: Connection, signed: Iterable[Signed]) -> None:
    """Record the signatures of statements; one that is signed already, or has gone, stays as it is."""
    for each in signed:
        if _SIGN.change(connection, {"row": each.id, "key": each.key, "signature": each.signature}):
            published_as = [{"digest": digest, "attestation_id": each.id} for digest in each.published_as]
            _PUBLISH.change_each(connection, published_as)


def _attestation(row: Sequence[Any]) -> AttestationRow:
    identifier, digest, media_type, size, statement, made, key, signature = row
    subject = ManifestRow(Digest(digest), media_type, size)
    return AttestationRow(identifier, subject, statement, made, key or "", signature or b"")
