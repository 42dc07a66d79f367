"""Inspections of layers."""

import zlib

from sqlalchemy import Connection, bindparam, delete, select

from policy.inspection.worker.job import Inspected
from policy.results.checksums import require_sum, sum_of
from policy.results.counters import count
from policy.results.tables import inspections
from registry.database.dialects import insert, or_update, unless_there, without_nul
from registry.database.statement import Statement

_ADD = unless_there(insert(inspections))
_REPLACE = or_update(insert(inspections), ("layer", "detectors"))
_FIND = Statement(
    select(inspections.c.body, inspections.c.failure, inspections.c.sum).where(
        inspections.c.layer == bindparam("layer"), inspections.c.detectors == bindparam("detectors")
    )
)
_LATEST = Statement(
    select(inspections.c.body, inspections.c.failure, inspections.c.sum, inspections.c.detectors)
    .where(inspections.c.layer == bindparam("layer"))
    .order_by(inspections.c.failure, inspections.c.detectors.desc())
    .limit(1)
)
_FORGET = delete(inspections).where(inspections.c.layer == bindparam("named"))


def save(connection: Connection, layer: str, detectors: str, result: Inspected) -> None:
    """Save the inspection of a layer; a failure never replaces an inspection."""
    failure = without_nul(result.failure)
    row: dict[str, object] = {"layer": layer, "detectors": detectors, "body": result.body, "failure": failure}
    row["sum"] = sum_of(layer, detectors, zlib.crc32(result.body), failure)
    connection.execute(_ADD if failure else _REPLACE, row)
    count(connection, "layers_opened", 1 if result.opened else 0)
    count(connection, "bytes_opened", result.opened)


def find(connection: Connection, layer: str, detectors: str) -> Inspected | None:
    """The inspection of a layer by these detectors; `None` when there is none."""
    row = _FIND.first(connection, {"layer": layer, "detectors": detectors})
    if row is None:
        return None
    require_sum(row[2], layer, detectors, zlib.crc32(row[0]), row[1])
    return Inspected(row[0], row[1], 0)


def latest(connection: Connection, layer: str) -> Inspected | None:
    """The inspection of a layer by any detectors, a failure only where there is no other; `None`: there is none."""
    row = _LATEST.first(connection, {"layer": layer})
    if row is None:
        return None
    require_sum(row[2], layer, row[3], zlib.crc32(row[0]), row[1])
    return Inspected(row[0], row[1], 0)


def forget(connection: Connection, layer: str) -> None:
    """Delete the inspections of a layer: it is read again when it is next needed."""
    connection.execute(_FORGET, {"named": layer})
