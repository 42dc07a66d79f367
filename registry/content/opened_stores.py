"""Blobs and rows of the settings, opened: files of the data folder or an object store, and the database."""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial

from sqlalchemy import Connection

from registry.config.settings import RegistrySettings
from registry.content.opened_rows import open_rows
from registry.content.small_blob_journal import open_stores
from registry.metadata.elsewhere import require_settled
from registry.metadata.identity import establish
from registry.metadata.open_store import DatabaseMissing, has_rows, open_metadata
from registry.metadata.store import RowStore
from registry.storage.blob_store import MaintainedStore
from registry.storage.disk.store import DiskStore
from registry.storage.opening import open_object_store


def open_stores_of(
    settings: RegistrySettings, pool: Executor, *, new_database: bool = False
) -> tuple[MaintainedStore, RowStore]:
    """The stores that settings name; the caller closes the rows.

    Args:
        settings: `data`, `storage` and `metadata` count.
        pool: where blocking work runs.
        new_database: make an empty database although there is content.

    Raises:
        StoreUnusable: the object store is wrong or away.
        DatabaseMissing: the object store has blobs of a database that is not here.
        MigrationUnfinished: the folder was left in the middle of a migration.
        And what `open_stores` and `open_rows` raise.
    """
    group = settings.storage
    require_settled(settings.data)
    if settings.metadata.url:
        blobs = open_object_store(settings, pool) if group.url else _files(settings, pool)
        return blobs, open_rows(settings, blobs, new_database=new_database)
    if not group.url:
        return open_stores(settings.data, pool, group.sync_bytes, group.busy_seconds, new_database=new_database)
    storage = open_object_store(settings, pool)
    first = _beginning(settings, storage, new_database=new_database)
    metadata = open_metadata(settings.data, first, group.busy_seconds, new=new_database)
    metadata.make_room = storage.reserve.give_up
    return storage, metadata


def _beginning(
    settings: RegistrySettings, storage: MaintainedStore, *, new_database: bool
) -> Callable[[Connection], object]:
    """What to do first with rows: new ones know nothing of blobs that are there, which are not garbage for that."""
    if has_rows(settings.data) or next(storage.digests(""), None) is None:
        return lambda _connection: None
    if not new_database:
        raise DatabaseMissing(
            f"{settings.storage.url} holds blobs, and {settings.data} has no database that knows them: name the data "
            "folder they belong to, put its backup back with `basegate restore`, name another prefix, or begin anew "
            "without what was there with `basegate serve --new-database`"
        )
    return partial(establish, knows_since=time.time())


def _files(settings: RegistrySettings, pool: Executor) -> DiskStore:
    return DiskStore(settings.data, pool, sync_bytes=settings.storage.sync_bytes)
