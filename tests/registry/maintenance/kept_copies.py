"""Copies of rows in an object store, as a server makes them."""

from registry.metadata import events
from registry.metadata.postgres_store import PostgresStore
from registry.storage.copies import CopiesStore, KeptCopy, RowCopies
from tests.servers import LiveRegistry
from tests.waiting import wait_until


def copies_in(live: LiveRegistry) -> RowCopies:
    """What the store of a server has of them."""
    storage = live.app.services.stores.storage
    assert isinstance(storage, CopiesStore)
    return storage.copies


def rows_in(live: LiveRegistry) -> PostgresStore:
    """What the database of a server has."""
    metadata = live.app.services.stores.metadata
    assert isinstance(metadata, PostgresStore)
    return metadata


def copied(live: LiveRegistry, since: float = 0.0) -> KeptCopy:
    """The newest copy, when it has the last change; `since`: and was made after that, in seconds since the epoch."""
    rows = rows_in(live)

    def is_there() -> bool:
        newest = copies_in(live).kept()[-1:]
        last = rows.read_now(events.ends)[1]
        return any(copy.made > since and copy.event >= last for copy in newest)

    wait_until(is_there)
    return copies_in(live).kept()[-1]
