"""What came from upstreams: when each tag was last asked for there, and the uploads of blobs that are being fetched."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select

from registry.database.dialects import insert, or_update
from registry.database.statement import Statement, autocommit
from registry.metadata.tables import mirror_fetches, mirrored_tags, repositories, tags
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag

_FIND = Statement(
    select(tags.c.digest, mirrored_tags.c.digest, mirrored_tags.c.checked)
    .select_from(repositories)
    .join(tags, tags.c.repository_id == repositories.c.id)
    .outerjoin(
        mirrored_tags,
        (mirrored_tags.c.repository_id == repositories.c.id) & (mirrored_tags.c.name == tags.c.name),
    )
    .where(repositories.c.name == bindparam("repository"), tags.c.name == bindparam("tag"))
)
_NOTE = Statement(
    or_update(insert(mirrored_tags), ("repository_id", "name")), ("repository_id", "name", "digest", "checked")
)
_FORGET = Statement(
    delete(mirrored_tags).where(
        (mirrored_tags.c.repository_id == bindparam("repository")) & (mirrored_tags.c.name == bindparam("tag"))
    )
)
_REPOSITORY = Statement(select(repositories.c.id).where(repositories.c.name == bindparam("repository")))
_FETCH_HERE = (mirror_fetches.c.repository == bindparam("of")) & (mirror_fetches.c.digest == bindparam("blob"))
_FETCH = Statement(select(mirror_fetches.c.upload).where(_FETCH_HERE))
_BEGIN = Statement(or_update(insert(mirror_fetches), ("repository", "digest")), ("repository", "digest", "upload"))
_END = Statement(delete(mirror_fetches).where(_FETCH_HERE))


@dataclass(frozen=True, slots=True)
class KnownTag:
    """A tag that is here.

    Attributes:
        digest: what it points at.
        checked: when the upstream was last asked for it, seconds since the epoch; `None`: it was pushed here.
    """

    digest: Digest
    checked: float | None


def _find(connection: Connection, repository: RepositoryName, tag: Tag) -> KnownTag | None:
    row = _FIND.first(connection, {"repository": repository, "tag": tag})
    if row is None:
        return None
    digest, of_upstream, checked = row
    return KnownTag(Digest(digest), checked if of_upstream == digest else None)


@autocommit
def find_tag(connection: Connection, repository: RepositoryName, tag: Tag) -> KnownTag | None:
    """A tag of a repository that has an upstream; `None` when it is not here."""
    return _find(connection, repository, tag)


def note_tags(  # noqa: PLR0913, PLR0917
    connection: Connection,
    repository_id: int,
    names: Iterable[Tag],
    digest: Digest,
    now: float,
    mirrored: bool,  # noqa: FBT001
) -> None:
    """Record, with the change of the tags, whether they follow the upstream: those that were pushed here do not."""
    for tag in names:
        if mirrored:
            _NOTE.apply(connection, {"repository_id": repository_id, "name": tag, "digest": digest, "checked": now})
        else:
            _FORGET.apply(connection, {"repository": repository_id, "tag": tag})


def check_tag(connection: Connection, repository: RepositoryName, tag: Tag, digest: Digest, now: float) -> None:
    """Record that the upstream still has a tag at this digest; nothing for one that was pushed here meanwhile."""
    known = _find(connection, repository, tag)
    if known is not None and known.checked is not None and known.digest == digest:
        repository_id = _REPOSITORY.scalar(connection, {"repository": repository})
        _NOTE.apply(connection, {"repository_id": repository_id, "name": tag, "digest": digest, "checked": now})


@autocommit
def fetch_of(connection: Connection, repository: RepositoryName, digest: Digest) -> str | None:
    """The upload of a blob whose fetch was begun, by this process or an earlier one."""
    upload = _FETCH.scalar(connection, {"of": repository, "blob": digest})
    return None if upload is None else str(upload)


def begin_fetch(
    connection: Connection, repository: RepositoryName, digest: Digest, upload: str, earlier: str | None
) -> str:
    """Record the upload that a blob is fetched into, in the place of an earlier one; returns the one that counts.

    That is another where a node has begun one since `earlier` was read.
    """
    begun = fetch_of(connection, repository, digest)
    if begun not in {None, earlier}:
        return str(begun)
    _BEGIN.apply(connection, {"repository": repository, "digest": digest, "upload": upload})
    return upload


def end_fetch(connection: Connection, repository: RepositoryName, digest: Digest) -> None:
    """Forget the upload of a blob: it is here, or came to nothing."""
    _END.apply(connection, {"of": repository, "blob": digest})
