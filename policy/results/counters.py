"""Counters of results: what inspections have read, and how often a new inspection was requested."""

from sqlalchemy import Connection, bindparam, func, select

from policy.results.tables import counters
from registry.database.dialects import insert, or_update
from registry.database.statement import Statement

FORGOTTEN = "forgotten"
"""How often a process requested a new inspection."""
SUPERSEDED = "superseded"
"""How often verdicts on a manifest were dropped because its results changed."""
COUNTED = "counted"
"""In `Connection.info`: the names of what a transaction has counted, for who tells other nodes."""

_COUNT = insert(counters)
_INCREASE = or_update(_COUNT, ("name",), {"value": counters.c.value + _COUNT.excluded.value})
_COUNTED = Statement(select(func.coalesce(func.sum(counters.c.value), 0)).where(counters.c.name == bindparam("name")))


def count(connection: Connection, name: str, increase: int) -> None:
    """Add to a counter."""
    if increase:
        tell(connection, name)
        connection.execute(_INCREASE, {"name": name, "value": increase})


def tell(connection: Connection, name: str) -> None:
    """Have other nodes told, with the commit, as if a counter had been increased."""
    connection.info.setdefault(COUNTED, set()).add(name)


def counted(connection: Connection, name: str) -> int:
    """The value of a counter; 0 when it was never increased."""
    return int(_COUNTED.scalar(connection, {"name": name}))
