"""Why content is kept: the chain of rows that refers to it."""

import time
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from registry.config.group import DAY
from registry.metadata import holds, reachability, tag_history, tags
from registry.metadata.tables import manifests, repositories, repository_blobs
from registry.oci.digest import Digest
from registry.oci.timestamp import exact_timestamp

_SHOWN = 5
_RECORDED = (
    select(repositories.c.id, repositories.c.name)
    .join(manifests)
    .where(manifests.c.digest == bindparam("digest"))
    .order_by(repositories.c.name)
)
_LINKED = (
    select(repositories.c.id, repositories.c.name, repository_blobs.c.created)
    .join(repository_blobs)
    .where(repository_blobs.c.digest == bindparam("digest"))
    .order_by(repositories.c.name)
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether garbage collection keeps some content, and why: one sentence for each reason, for a person."""

    digest: Digest
    kept: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """For how many seconds young content is kept in any case, and a manifest that a tag has left."""

    grace: float
    history: float = 0.0


def explain(connection: Connection, digest: Digest, modified: float | None, kept_for: Kept) -> Explanation:
    """Find the rows that refer to a blob or manifest.

    Args:
        connection: to read with.
        digest: the content.
        modified: when its file was last committed (seconds since the epoch), `None` when there is no file.
        kept_for: what the settings say.
    """
    reasons, grace = _as_manifest(connection, digest, kept_for.history), kept_for.grace
    if modified is None:
        kept = bool(reasons)
        return Explanation(digest, kept=kept, reasons=tuple(reasons or ["the store does not hold it"]))
    reasons += _as_blob(connection, digest, grace)
    left = modified + grace - time.time()
    if not reasons and left > 0:
        reasons = [f"nothing refers to it, but it is young: it is kept for {left:.0f} more seconds"]
    if reasons:
        return Explanation(digest, kept=True, reasons=tuple(reasons))
    return Explanation(digest, kept=False, reasons=("nothing refers to it: the next run removes it",))


def _as_manifest(connection: Connection, digest: Digest, history: float) -> list[str]:
    reasons = []
    for repository_id, name in connection.execute(_RECORDED, {"digest": digest}).all():
        named = ", ".join(tags.pointing_at(connection, repository_id, digest)[:_SHOWN])
        how = f"tagged {named}" if named else "without a tag"
        parents = reachability.manifests_naming(connection, repository_id, digest, _SHOWN)
        inside = f", part of index {', '.join(parents)}" if parents else ""
        reasons.append(f"{name} holds it as a manifest, {how}{inside}")
        left = tag_history.tags_since(connection, name, digest, time.time() - history) if history else []
        reasons += [
            f"history keeps it in {name}: tag {tag} pointed at it until {exact_timestamp(until)}, and "
            f"history.keep_days are {history / DAY:g}"
            for tag, until in left[:_SHOWN]
        ]
        reasons += [f"it is held in {name}: {reason}" for reason in holds.reasons(connection, repository_id, digest)]
    return reasons


def _as_blob(connection: Connection, digest: Digest, grace: float) -> list[str]:
    reasons = []
    for repository_id, name, created in connection.execute(_LINKED, {"digest": digest}).all():
        users = reachability.manifests_naming(connection, repository_id, digest, _SHOWN)
        left = created + grace - time.time()
        if users:
            reasons.append(f"{name} uses it in manifest {', '.join(users)}")
        elif left > 0:
            reasons.append(f"{name} was given it lately and may still name it: kept for {left:.0f} more seconds")
    return reasons
