"""Scope maps: named rights by pattern of repositories, as plain functions of a connection.

A principal that has one has its rights in the place of a role's. What is in a map is checked where it comes in; here
it is rows.
"""

import json
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, insert, select

from registry.metadata.principal_tables import principals, scope_maps

PRINCIPALS_CHANGED = "principals changed"
"""The key of a connection's `info` that says that its transaction has changed what a principal may do."""

Grants = tuple[tuple[str, tuple[str, ...]], ...]
"""Patterns of repositories, each with the actions that are granted there, as words."""


@dataclass(frozen=True, slots=True)
class ScopeMapRow:
    """One scope map; `created` in seconds since the epoch."""

    name: str
    description: str
    grants: Grants
    created: float


def find(connection: Connection, name: str) -> ScopeMapRow | None:
    """The map with this name, or `None`."""
    row = connection.execute(select(scope_maps).where(scope_maps.c.name == name)).first()
    return None if row is None else _of(row)


def everything(connection: Connection) -> list[ScopeMapRow]:
    """All maps by name."""
    return [_of(row) for row in connection.execute(select(scope_maps).order_by(scope_maps.c.name)).all()]


def put(connection: Connection, row: ScopeMapRow) -> None:
    """Record a map, in the place of one of its name; whoever has it has the new rights at once."""
    connection.execute(delete(scope_maps).where(scope_maps.c.name == row.name))
    values = {"name": row.name, "description": row.description, "created": row.created}
    connection.execute(insert(scope_maps), values | {"grants": json.dumps(row.grants)})
    connection.info[PRINCIPALS_CHANGED] = True


def remove(connection: Connection, name: str) -> None:
    """Forget a map; whoever had it may do nothing any more."""
    connection.execute(delete(scope_maps).where(scope_maps.c.name == name))
    connection.info[PRINCIPALS_CHANGED] = True


def holders(connection: Connection, name: str) -> list[str]:
    """The names of the principals that have a map."""
    rows = connection.execute(
        select(principals.c.name).where(principals.c.scope_map == name).order_by(principals.c.name)
    )
    return list(rows.scalars())


def _of(row: Row[tuple[object, ...]]) -> ScopeMapRow:
    grants = tuple((pattern, tuple(actions)) for pattern, actions in json.loads(row.grants))
    return ScopeMapRow(row.name, row.description, grants, row.created)
