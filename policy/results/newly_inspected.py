"""Images that were seen without asking policy.db whether it knows them: it finds out when it takes them in."""

from collections.abc import Sequence

from sqlalchemy import Connection

from policy.results import manifests as inspected_manifests
from policy.results import verdicts
from policy.results.counters import FORGOTTEN, count
from policy.results.manifests import InspectedManifest


def keep(connection: Connection, seen: Sequence[InspectedManifest]) -> None:
    """Keep what was seen. Where earlier detectors, or other budgets, saw another image, what was said of it goes.

    That happens to a manifest that is pushed again, and concerns the indexes that hold it; a running server follows
    within a second.
    """
    changed = inspected_manifests.seen_otherwise(connection, seen)
    inspected_manifests.keep(connection, seen)
    for manifest in changed:
        verdicts.forget(connection, manifest)
    if changed:
        count(connection, FORGOTTEN, 1)
