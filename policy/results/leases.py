"""Leases of layers in PostgreSQL: which node inspects which layer, by the clock of the database.

A node renews its leases while it works. When it dies or falls silent they end by themselves, and another node inspects
its layers. Two that inspect the same, as after a pause, find the same: a lease saves work, nothing depends on it.
"""

from sqlalchemy import Column, Connection, Float, MetaData, Table, bindparam, cast, delete, func, select, update

from registry.database.dialects import TEXT, insert, or_update

LEASES = MetaData()
_leases = Table(
    "leases",
    LEASES,
    Column("layer", TEXT, primary_key=True),
    Column("detectors", TEXT, primary_key=True),
    Column("node", TEXT, nullable=False),
    Column("until", Float(53), nullable=False),
)
_NOW = select(cast(func.extract("epoch", func.clock_timestamp()), Float(53)))
_IS_OF = _leases.c.layer == bindparam("of"), _leases.c.detectors == bindparam("by")
_FIND = select(_leases.c.node, _leases.c.until).where(*_IS_OF)
_TAKE = or_update(insert(_leases), ("layer", "detectors"))
_RENEW = update(_leases).where(_leases.c.node == bindparam("holder")).values(until=bindparam("ends"))
_GIVE_BACK = delete(_leases).where(*_IS_OF, _leases.c.node == bindparam("holder"))
_GIVE_BACK_ALL = delete(_leases).where(_leases.c.node == bindparam("holder"))


def take(connection: Connection, layer: str, detectors: str, node: str, seconds: float) -> bool:
    """Have the lease of a layer for so many seconds; `False` while another node has it."""
    now = _now(connection)
    held = connection.execute(_FIND, {"of": layer, "by": detectors}).first()
    if held is not None and held.node != node and held.until > now:
        return False
    connection.execute(_TAKE, {"layer": layer, "detectors": detectors, "node": node, "until": now + seconds})
    return True


def renew(connection: Connection, node: str, seconds: float) -> None:
    """Have all leases of a node end so many seconds from now."""
    connection.execute(_RENEW, {"holder": node, "ends": _now(connection) + seconds})


def give_back(connection: Connection, layer: str, detectors: str, node: str) -> None:
    """End a lease, if the node still has it."""
    connection.execute(_GIVE_BACK, {"of": layer, "by": detectors, "holder": node})


def give_back_all(connection: Connection, node: str) -> None:
    """End all leases of a node."""
    connection.execute(_GIVE_BACK_ALL, {"holder": node})


def _now(connection: Connection) -> float:
    return float(connection.execute(_NOW).scalar_one())
