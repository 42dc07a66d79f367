"""Blobs and rows of the settings, opened: files of the data folder, or an object store, and the database."""

from concurrent.futures import Executor

from registry.config.settings import RegistrySettings
from registry.content.small_blob_journal import open_stores
from registry.metadata.open_store import open_metadata
from registry.metadata.sqlite_store import SqliteStore
from registry.storage.blob_store import MaintainedStore
from registry.storage.opening import open_object_store


def open_stores_of(
    settings: RegistrySettings, pool: Executor, *, new_database: bool = False
) -> tuple[MaintainedStore, SqliteStore]:
    """The stores that settings name; the caller closes the rows.

    Args:
        settings: `data` and `storage` count.
        pool: where blocking work runs.
        new_database: make an empty database although there is content.

    Raises:
        StoreUnusable: the object store is wrong or away.
        And what `open_stores` raises.
    """
    group = settings.storage
    if not group.url:
        return open_stores(settings.data, pool, group.sync_bytes, group.busy_seconds, new_database=new_database)
    storage = open_object_store(settings, pool)
    metadata = open_metadata(settings.data, busy_seconds=group.busy_seconds, new=new_database)
    metadata.make_room = storage.reserve.give_up
    return storage, metadata
