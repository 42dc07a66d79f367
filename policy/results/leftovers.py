"""Rows of results that are no longer needed: of deleted content, and of policies that are not in force."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Column, Connection, Table, delete, select, text

from policy.results import profiles
from policy.results.tables import inspections, profiled, subjects, verdicts

_BATCH = 500


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


def stored_names(connection: Connection) -> Leftovers:
    """All names with rows."""
    return Leftovers(
        _names(connection, subjects.c.manifest) | _names(connection, verdicts.c.manifest),
        _names(connection, inspections.c.layer),
        _names(connection, verdicts.c.policy),
    )


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


def _names(connection: Connection, column: Column[str]) -> frozenset[str]:
    return frozenset(connection.execute(select(column).distinct()).scalars())


def _remove(connection: Connection, table: Table, column: Column[str], names: Collection[str]) -> int:
    ordered, removed = sorted(names), 0
    for start in range(0, len(ordered), _BATCH):
        removed += connection.execute(delete(table).where(column.in_(ordered[start : start + _BATCH]))).rowcount
    return removed
