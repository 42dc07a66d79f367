"""The identity of the store, and the time since when its rows are complete."""

import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from registry.metadata.tables import store


@dataclass(frozen=True, slots=True)
class Identity:
    """One store.

    Attributes:
        id: a UUID; copies of the rows have the same.
        knows_since: seconds since the epoch; older files may have lost their rows and are not collected.
    """

    id: str
    knows_since: float


def identity(connection: Connection) -> Identity:
    """The store's identity."""
    row = connection.execute(select(store)).one()
    return Identity(row.id, row.knows_since)


def establish(connection: Connection, knows_since: float, store_id: str = "") -> None:
    """Set the identity of a new database, replacing any that it has."""
    connection.execute(delete(store))
    connection.execute(insert(store), {"id": store_id or str(uuid.uuid4()), "knows_since": knows_since})


def know_everything(connection: Connection) -> None:
    """Declare the rows complete: from now on a file of any age without a row is garbage."""
    connection.execute(update(store).values(knows_since=0.0))
