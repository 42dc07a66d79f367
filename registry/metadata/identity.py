"""Which store the rows belong to, and since when they know every file of it."""

import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from registry.metadata.tables import store


@dataclass(frozen=True, slots=True)
class Identity:
    """One store.

    Attributes:
        id: a UUID, which copies of the rows bear as well.
        knows_since: seconds since the epoch; files that are older may have lost their rows, and are not collected.
    """

    id: str
    knows_since: float


def identity(connection: Connection) -> Identity:
    """The store's identity."""
    row = connection.execute(select(store)).one()
    return Identity(row.id, row.knows_since)


def establish(connection: Connection, knows_since: float, store_id: str = "") -> None:
    """Give a new database its identity, in the place of any that it has."""
    connection.execute(delete(store))
    connection.execute(insert(store), {"id": store_id or str(uuid.uuid4()), "knows_since": knows_since})


def know_everything(connection: Connection) -> None:
    """From now on a file without a row is one that nobody needs, however old it is."""
    connection.execute(update(store).values(knows_since=0.0))
