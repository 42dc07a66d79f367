"""What retention asks of a repository: its tags and manifests as they refer to one another, and their removal."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, or_, select

from registry.metadata import events, last_pulls, manifests, repositories, tag_history, tags, trash
from registry.metadata.events import Event, Kind
from registry.metadata.many_digests import batches
from registry.metadata.tables import events as event_rows
from registry.metadata.tables import holds, locks, manifest_references
from registry.metadata.tables import manifests as manifest_rows
from registry.metadata.tables import repositories as repository_rows
from registry.metadata.tables import tags as tag_rows
from registry.metadata.trash import Removal
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag

_MOVES = (
    Kind.MANIFEST_PUSHED,
    Kind.MANIFEST_RESTORED,
    Kind.MANIFEST_DELETED,
    Kind.TAG_SET,
    Kind.TAG_DELETED,
    Kind.REPOSITORY_DELETED,
    Kind.LOCKS_SET,
)
_LOCKED = or_(locks.c.deletes, locks.c.writes)


@dataclass(frozen=True, slots=True)
class TagState:
    """A tag: its manifest, when it was last moved, and it or its manifest last pulled (epoch seconds; 0: never)."""

    name: Tag
    digest: Digest
    moved: float
    pulled: float = 0.0


@dataclass(frozen=True, slots=True)
class ManifestState:
    """A manifest.

    Attributes:
        digest: its name.
        pushed: when it was last pushed, seconds since the epoch.
        pulled: when it was last pulled; 0: never.
        subject: what it refers to, "" for nothing.
        children: manifests and blobs that it names as an index.
        left: when a tag last left it, seconds since the epoch; 0: none has.
    """

    digest: Digest
    pushed: float
    pulled: float = 0.0
    subject: str = ""
    children: tuple[str, ...] = ()
    left: float = 0.0


@dataclass(frozen=True, slots=True)
class RepositoryContent:
    """A repository.

    Attributes:
        name: its name.
        tags: in the order of their names.
        manifests: by digest.
        fixed: why tags and manifests can not be removed, by tag or digest; "" means the whole repository.
        pulled: when tags and manifests were last pulled (epoch seconds), by tag or digest.
    """

    name: RepositoryName
    tags: tuple[TagState, ...]
    manifests: dict[Digest, ManifestState]
    fixed: dict[str, str]
    pulled: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a database was when something was read: the ids of the newest event and of the newest hold."""

    event: int
    hold: int


def content_of(connection: Connection, name: RepositoryName) -> RepositoryContent | None:
    """A repository; `None` when there is none. It reads all its rows."""
    here = repositories.find(connection, name)
    if here is None:
        return None
    pulled = last_pulls.latest_of_all(connection, name)
    columns = (tag_rows.c.name, tag_rows.c.digest, tag_rows.c.updated)
    rows = connection.execute(select(*columns).where(tag_rows.c.repository_id == here).order_by(tag_rows.c.name))
    tagged = tuple(
        # Clusters pull by digest: what they run must not go with its tag.
        TagState(Tag(tag), Digest(digest), moved, max(pulled.get(tag, 0.0), pulled.get(digest, 0.0)))
        for tag, digest, moved in rows
    )
    manifests_here = _manifests(connection, name, here, pulled)
    return RepositoryContent(name, tagged, manifests_here, _fixed(connection, here), pulled)


def mark_of(connection: Connection) -> Mark:
    """The mark of now."""
    newest_hold = connection.execute(select(func.max(holds.c.id))).scalar()
    return Mark(events.ends(connection)[1], newest_hold or 0)


def read(connection: Connection, name: RepositoryName) -> tuple[RepositoryContent | None, Mark]:
    """A repository, and the mark that it was read at."""
    return content_of(connection, name), mark_of(connection)


def is_unchanged(connection: Connection, content: RepositoryContent, mark: Mark, meant: Collection[str]) -> bool:
    """Whether what retention asks of a repository is as it was read, pulls of what is meant (tags, digests) included.

    It looks at what has happened since, not at the rows of the repository.
    """
    here = event_rows.c.repository == content.name
    since = select(event_rows.c.id).where(event_rows.c.id > mark.event, here, event_rows.c.kind.in_(_MOVES)).limit(1)
    held = select(holds.c.id).join(repository_rows, repository_rows.c.id == holds.c.repository_id)
    held = held.where(holds.c.id > mark.hold, repository_rows.c.name == content.name).limit(1)
    if connection.execute(since).first() is not None or connection.execute(held).first() is not None:
        return False
    before = {name: content.pulled[name] for name in meant if name in content.pulled}
    now = {
        name: time
        for some in batches(meant)
        for name, time in last_pulls.latest(connection, content.name, some).items()
    }
    return now == before


def holders(connection: Connection, digest: Digest, count: int) -> list[RepositoryName]:
    """At most `count` repositories that have a manifest."""
    named = select(repository_rows.c.name).join(manifest_rows).where(manifest_rows.c.digest == digest)
    return [RepositoryName(name) for (name,) in connection.execute(named.order_by(repository_rows.c.name).limit(count))]


def remove(
    connection: Connection,
    name: RepositoryName,
    removal: Removal,
    gone_tags: Sequence[tuple[Tag, Digest]],
    gone: Sequence[Digest],
) -> None:
    """Move tags, and then manifests, to the trash, with an event each; who calls has made sure that they may go."""
    here = repositories.find(connection, name)
    if here is None:
        return
    happened = []
    trash.discard_several(connection, removal, here, [tag for tag, _ in gone_tags], gone)
    for tag, digest in gone_tags:
        if tags.remove(connection, here, tag):
            happened.append(Event(Kind.TAG_DELETED, name, digest, tag))
    went = [digest for digest in gone if manifests.remove(connection, here, digest) is not None]
    happened += [Event(Kind.MANIFEST_DELETED, name, digest) for digest in went]
    events.record(connection, removal.now, happened)


def _manifests(
    connection: Connection, name: RepositoryName, here: int, pulled: dict[str, float]
) -> dict[Digest, ManifestState]:
    left = tag_history.left_at(connection, name)
    children: dict[str, list[str]] = {}
    named = (
        select(manifest_rows.c.digest, manifest_references.c.digest)
        .join(manifest_references, manifest_references.c.manifest_id == manifest_rows.c.id)
        .where(manifest_rows.c.repository_id == here, manifest_references.c.kind.in_(["child", "blob"]))
    )
    for parent, child in connection.execute(named):
        children.setdefault(parent, []).append(child)
    columns = (manifest_rows.c.digest, manifest_rows.c.pushed, manifest_rows.c.subject)
    return {
        Digest(digest): ManifestState(
            Digest(digest),
            pushed,
            pulled.get(digest, 0.0),
            subject or "",
            tuple(children.get(digest, ())),
            left.get(digest, 0.0),
        )
        for digest, pushed, subject in connection.execute(select(*columns).where(manifest_rows.c.repository_id == here))
    }


def _fixed(connection: Connection, here: int) -> dict[str, str]:
    locked = connection.execute(select(locks.c.name).where(locks.c.repository_id == here, _LOCKED)).scalars()
    fixed = dict.fromkeys(locked, "it is locked")
    held = select(holds.c.digest, holds.c.reason).where(holds.c.repository_id == here).order_by(holds.c.id)
    return {**fixed, **{digest: f"it is held: {reason}" for digest, reason in connection.execute(held)}}
