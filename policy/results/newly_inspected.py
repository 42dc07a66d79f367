"""Newly inspected manifests: whether there are other results for them already is checked when they are saved."""

from collections.abc import Sequence

from sqlalchemy import Connection

from policy.results import manifests as inspected_manifests
from policy.results import verdicts
from policy.results.counters import FORGOTTEN, count
from policy.results.manifests import InspectedManifest


def save(connection: Connection, seen: Sequence[InspectedManifest]) -> None:
    """Save inspected manifests; where earlier results differ, drop the verdicts that were made of them.

    Results differ when a manifest is pushed again after detectors or budgets have changed. Verdicts on indexes are
    dropped too; a running server notices within a second.
    """
    changed = inspected_manifests.seen_otherwise(connection, seen)
    inspected_manifests.save(connection, seen)
    for manifest in changed:
        verdicts.forget(connection, manifest)
    if changed:
        count(connection, FORGOTTEN, 1)
