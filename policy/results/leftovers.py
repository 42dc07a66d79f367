"""Rows of results that are no longer needed: of deleted content, and of policies that are not in force."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Column, Connection, Select, Table, bindparam, delete, select, text

from policy.results import profiles
from policy.results.tables import inspections, profiled, subjects, verdicts

_BATCH = 500
_SEEN = (
    select(subjects.c.manifest)
    .where(subjects.c.manifest > bindparam("after"))
    .group_by(subjects.c.manifest)
    .order_by(subjects.c.manifest)
    .limit(bindparam("count"))
)
_JUDGED = (
    select(verdicts.c.manifest)
    .where(verdicts.c.policy == bindparam("policy"), verdicts.c.manifest > bindparam("after"))
    .order_by(verdicts.c.manifest)
    .limit(bindparam("count"))
)
_LAYERS = (
    select(inspections.c.layer)
    .where(inspections.c.layer > bindparam("after"))
    .group_by(inspections.c.layer)
    .order_by(inspections.c.layer)
    .limit(bindparam("count"))
)
_NEXT_POLICY = (
    select(verdicts.c.policy).where(verdicts.c.policy > bindparam("after")).order_by(verdicts.c.policy).limit(1)
)


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Names of unneeded rows.

    Attributes:
        manifests: digests of manifests.
        layers: digests of layers.
        policies: digests of policies.
    """

    manifests: frozenset[str] = field(default_factory=frozenset)
    layers: frozenset[str] = field(default_factory=frozenset)
    policies: frozenset[str] = field(default_factory=frozenset)

    def common(self, other: "Leftovers") -> "Leftovers":
        """The names in both."""
        return Leftovers(self.manifests & other.manifests, self.layers & other.layers, self.policies & other.policies)


def inspected(connection: Connection, after: str, count: int) -> Sequence[str]:
    """At most `count` inspected manifests behind `after`, in the order of their names."""
    return _page(connection, _SEEN, after=after, count=count)


def judged(connection: Connection, policy: str, after: str, count: int) -> Sequence[str]:
    """At most `count` manifests behind `after` that a policy has judged, in the order of their names."""
    return _page(connection, _JUDGED, policy=policy, after=after, count=count)


def layers(connection: Connection, after: str, count: int) -> Sequence[str]:
    """At most `count` inspected layers behind `after`, in the order of their names."""
    return _page(connection, _LAYERS, after=after, count=count)


def policies(connection: Connection) -> Sequence[str]:
    """Every policy with verdicts; each is looked up behind the one before, which reads no verdict of it."""
    found: list[str] = []
    while page := _page(connection, _NEXT_POLICY, after=found[-1] if found else ""):
        found += page
    return found


def forget(connection: Connection, gone: Leftovers) -> int:
    """Delete the rows of these names, and profiles without a manifest, and free their pages; returns how many rows."""
    removed = _remove(connection, subjects, subjects.c.manifest, gone.manifests)
    removed += _remove(connection, verdicts, verdicts.c.manifest, gone.manifests)
    removed += _remove(connection, profiled, profiled.c.manifest, gone.manifests)
    removed += _remove(connection, inspections, inspections.c.layer, gone.layers)
    removed += _remove(connection, verdicts, verdicts.c.policy, gone.policies)
    removed += profiles.forget_unused(connection)
    if removed and connection.dialect.name == "sqlite":  # PostgreSQL does so by itself
        connection.execute(text("PRAGMA incremental_vacuum"))
    return removed


def forget_outdated(connection: Connection, detectors: str) -> int:
    """Delete results of earlier detectors for manifests inspected since; returns the number of rows."""
    current = subjects.alias("current")
    seen_since = select(current.c.manifest).where(current.c.detectors.in_(["", detectors]))
    outdated = delete(subjects).where(subjects.c.detectors.not_in(["", detectors]), subjects.c.manifest.in_(seen_since))
    return connection.execute(outdated).rowcount


def _page(connection: Connection, query: Select[str], **values: object) -> Sequence[str]:
    return [name for (name,) in connection.execute(query, values)]


def _remove(connection: Connection, table: Table, column: Column[str], names: Collection[str]) -> int:
    ordered, removed = sorted(names), 0
    for start in range(0, len(ordered), _BATCH):
        removed += connection.execute(delete(table).where(column.in_(ordered[start : start + _BATCH]))).rowcount
    return removed
