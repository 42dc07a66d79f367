"""Inspected manifests: manifests as policies see them."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from policy.results import profiles
from policy.results.checksums import require_sum, sum_of
from policy.results.tables import subjects
from registry.database.dialects import insert, or_update
from registry.database.statement import Statement


class Kind(StrEnum):
    """The kind of a manifest."""

    IMAGE = "image"
    INDEX = "index"
    ARTIFACT = "artifact"


@dataclass(frozen=True, slots=True)
class InspectedManifest:
    """One manifest as policies see it, independent of any policy.

    Attributes:
        manifest: its digest.
        kind: image, index or artifact.
        detectors: the detectors that inspected it, `""` when it needs none.
        essence: everything that a verdict's state depends on; equal essences get equal states.
        final: whether another inspection would have the same result; False while a layer is missing.
        body: everything that the text of a verdict needs, as canonical JSON.
        platform: `linux/amd64`, of an image that was just inspected; what is read again does not have it.
    """

    manifest: str
    kind: Kind
    detectors: str
    essence: str
    final: bool
    body: bytes
    platform: str = field(default="", compare=False)

    def named(self, manifest: str) -> "InspectedManifest":
        """The same results for another manifest with equal content."""
        return InspectedManifest(
            manifest, self.kind, self.detectors, self.essence, self.final, self.body, self.platform
        )


_COLUMNS = (
    subjects.c.manifest,
    subjects.c.kind,
    subjects.c.detectors,
    subjects.c.essence,
    subjects.c.final,
    subjects.c.body,
    subjects.c.sum,
)
_FIND = Statement(select(*_COLUMNS).where(subjects.c.manifest == bindparam("named")))
_SAVE = Statement(
    or_update(insert(subjects), ("manifest", "detectors")),
    ("manifest", "detectors", "kind", "essence", "final", "body", "sum"),
)
_INSPECTED = select(subjects.c.manifest).where(
    subjects.c.manifest.in_(bindparam("named", expanding=True)),
    subjects.c.detectors.in_(bindparam("seen_by", expanding=True)),
)
_FORGET = delete(subjects).where(subjects.c.manifest == bindparam("named"))
_ESSENCES = select(
    subjects.c.manifest, subjects.c.detectors, subjects.c.kind, subjects.c.essence, subjects.c.final, subjects.c.sum
).where(subjects.c.kind != Kind.INDEX.value)
_INDEXES = select(*_COLUMNS).where(subjects.c.kind == Kind.INDEX.value)


def save(connection: Connection, seen: Sequence[InspectedManifest]) -> None:
    """Save inspected manifests, replacing earlier results of the same detectors. Equal bodies are compressed once."""
    packed = {body: zlib.compress(body, 1) for body in {item.body for item in seen}}
    _SAVE.change_each(connection, [_row(item) | {"body": packed[item.body]} for item in seen])
    profiles.save(connection, [(item.manifest, item.kind.value, item.essence, item.platform) for item in seen])


def _row(subject: InspectedManifest) -> dict[str, Any]:
    row: dict[str, Any] = {
        "manifest": subject.manifest,
        "detectors": subject.detectors,
        "kind": subject.kind.value,
        "essence": subject.essence,
        "final": subject.final,
    }
    return row | {"sum": sum_of(*row.values())}


def find(connection: Connection, manifest: str, detectors: str) -> InspectedManifest | None:
    """The manifest as these detectors saw it, else as others did, else `None`."""
    every = [_subject(row) for row in _FIND.rows(connection, {"named": manifest})]
    current = [item for item in every if item.detectors in {"", detectors}]
    return next(iter(current + every), None)


def inspected(connection: Connection, manifests: Sequence[str], detectors: str) -> set[str]:
    """Those of the manifests that these detectors have inspected, or that need no detector."""
    return set(connection.execute(_INSPECTED, {"named": list(manifests), "seen_by": ["", detectors]}).scalars())


def seen_otherwise(connection: Connection, seen: Sequence[InspectedManifest]) -> set[str]:
    """Those that are already stored with another essence, and so may get another verdict."""
    before: dict[str, str] = {}
    current = {"", *(item.detectors for item in seen)}
    for item in seen:
        for _, _, seen_by, essence, *_ in _FIND.rows(connection, {"named": item.manifest}):
            if item.manifest not in before or seen_by in current:
                before[item.manifest] = essence
    return {item.manifest for item in seen if before.get(item.manifest, item.essence) != item.essence}


def forget(connection: Connection, manifest: str) -> None:
    """Delete the results of a manifest: it is inspected again when it is next needed."""
    connection.execute(_FORGET, {"named": manifest})
    profiles.forget(connection, manifest)


def essences(connection: Connection, detectors: str) -> dict[str, tuple[str, bool]]:
    """Essence and finality of every image and artifact; results of these detectors go before those of others."""
    by_manifest: dict[str, tuple[str, bool]] = {}
    for manifest, seen_by, kind, essence, final, stored_sum in connection.execute(_ESSENCES):
        require_sum(stored_sum, manifest, seen_by, kind, essence, final)
        if manifest not in by_manifest or seen_by == detectors:
            by_manifest[manifest] = essence, final
    return by_manifest


def indexes(connection: Connection) -> list[InspectedManifest]:
    """Every index."""
    return [_subject(row) for row in connection.execute(_INDEXES)]


def _subject(row: Any) -> InspectedManifest:
    manifest, kind, detectors, essence, final, _body, stored_sum = row
    require_sum(stored_sum, manifest, detectors, kind, essence, bool(final))
    return InspectedManifest(row[0], Kind(row[1]), row[2], row[3], bool(row[4]), zlib.decompress(row[5]))
