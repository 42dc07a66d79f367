"""Counters in policy.db: how much was read, and how often somebody asked to look again."""

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects.sqlite import insert

from policy.results.tables import counters
from registry.database.statement import Statement

FORGOTTEN = "forgotten"
"""How often another process asked that something be looked into again."""

_COUNT = insert(counters)
_COUNT_MORE = _COUNT.on_conflict_do_update(
    index_elements=["name"], set_={"value": counters.c.value + _COUNT.excluded.value}
)
_COUNTED = Statement(select(func.coalesce(func.sum(counters.c.value), 0)).where(counters.c.name == bindparam("name")))


def count(connection: Connection, name: str, more: int) -> None:
    """Add to a counter."""
    if more:
        connection.execute(_COUNT_MORE, {"name": name, "value": more})


def counted(connection: Connection, name: str) -> int:
    """A counter's value."""
    return int(_COUNTED.scalar(connection, {"name": name}))
