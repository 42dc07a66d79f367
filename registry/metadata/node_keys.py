"""Which keys the nodes of a registry sign with: each shows the id of its own by a lock of the session that listens.

The database gives such a lock up with the session, so that a node that ends, however, leaves nothing behind.
"""

from typing import NamedTuple

from sqlalchemy import Connection, text

from registry.database.pulse import SHOWN, place_of
from registry.database.statement import autocommit

_OTHERS = text(
    "SELECT DISTINCT pid, coalesce(host(client_addr), '') FROM pg_locks LEFT JOIN pg_stat_activity USING (pid) "
    "WHERE locktype = 'advisory' AND classid = :shown AND objid <> :place AND granted AND database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database())"
)


class OtherNodes(NamedTuple):
    """Living nodes that sign with another key.

    Attributes:
        number: how many.
        addresses: theirs, as far as the database tells them.
    """

    number: int
    addresses: tuple[str, ...]


@autocommit
def of_others(connection: Connection, key: str) -> OtherNodes:
    """The nodes that show another key than the one with this id."""
    found = connection.execute(_OTHERS, {"shown": SHOWN, "place": place_of(key)}).all()
    return OtherNodes(len(found), tuple(sorted({address for _, address in found if address})))
