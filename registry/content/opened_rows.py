"""Rows in PostgreSQL, opened where `metadata.url` names a database. Nothing of it is imported before.

A data folder and a database belong together: the folder is marked with the id of the store. A database without rows
is not taken for the registry's own where there is content, nor is another than the folder's; and blobs that are files
are those of one folder: another node with files of its own would not have them. An object store names the registry
whose blobs it has: rows with the bucket of another, or with an empty one, would answer 201 for what others never see.
"""

import time
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from registry.config.metadata import MetadataSettings
from registry.config.settings import RegistrySettings
from registry.errors import BasegateError
from registry.metadata import elsewhere
from registry.metadata.identity import establish, identity
from registry.metadata.open_store import FILE_NAME, DatabaseMissing, is_copied
from registry.metadata.tables import repository_blobs
from registry.storage.blob_store import BlobStore, MaintainedStore
from registry.storage.disk.atomic_file import replace_file
from registry.storage.disk.store import DiskStore
from registry.storage.owner import OwnedStore, PrefixOwner

if TYPE_CHECKING:
    from registry.database.postgres import Database
    from registry.metadata.postgres_store import PostgresStore


class RowsUnusable(BasegateError):
    """The database of `metadata.url` is not that of the data folder, or its settings are wrong."""


def open_rows(settings: RegistrySettings, storage: BlobStore, *, new_database: bool = False) -> "PostgresStore":
    """The rows in the database that `metadata.url` names; the caller closes them.

    Args:
        settings: `data` and `metadata` count.
        storage: the blobs that the rows tell of.
        new_database: take an empty database, or another than before, although there is content.

    Raises:
        RowsUnusable: psycopg or the password is missing, or the database is not that of the folder.
        DatabaseMissing: there is content, and the database is empty.
        And what `open_postgres` raises.
    """
    data, group = settings.data, settings.metadata
    _require_no_file(data)
    database = database_of(settings)
    from registry.metadata.open_postgres import open_postgres  # noqa: PLC0415 - not a part of every installation

    before = elsewhere.store_of(data)
    admission = _Admission(data, storage, before, new_database)
    try:
        rows = open_postgres(database, group.connections, group.silence_seconds, admission.admit)
    except BaseException:
        if not before:
            (data / elsewhere.MARK).unlink(missing_ok=True)
        raise
    if isinstance(storage, OwnedStore) and admission.owner != admission.store:
        # Behind the commit: a prefix never names rows that were not made after all.
        _name_owner(storage.owner, admission.store, rows)
    return rows


def database_of(settings: RegistrySettings) -> "Database":
    """The database that `metadata.url` names. Raises RowsUnusable when psycopg or the password is missing."""
    try:
        from registry.database.postgres import (  # noqa: PLC0415 - not a part of every installation
            LEAST_CONNECT_SECONDS,
            Database,
        )
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise RowsUnusable(
            "metadata.url is set and psycopg is not installed: pip install 'basegate[cluster]'"
        ) from None
    group = settings.metadata
    connecting = max(ceil(group.silence_seconds), LEAST_CONNECT_SECONDS)
    return Database(group.url, _password(group), connecting, settings.storage.busy_seconds)


def _require_no_file(data: Path) -> None:
    if (data / FILE_NAME).exists() or is_copied(data):
        raise RowsUnusable(
            f"{data} has rows of its own in {FILE_NAME}, and metadata.url names a PostgreSQL database: name another "
            "data folder, leave metadata.url out, or move them with `basegate migrate` (docs/cluster.md)"
        )


def _password(group: MetadataSettings) -> str:
    if group.password_file is None:
        return ""
    try:
        found = group.password_file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise RowsUnusable(f"metadata.password_file is {group.password_file}, which cannot be read: {reason}") from None
    if not found:
        raise RowsUnusable(f"metadata.password_file is {group.password_file}, which is empty: needs the password")
    return found


@dataclass(slots=True)
class _Admission:
    """Whether a folder, its blobs and a database belong together.

    Attributes:
        data: the folder.
        storage: the blobs.
        before: id of the store that the folder has been used with; "" for none.
        new_database: whether an empty database, or another than before, is taken although there is content.
        store: id of the store that was admitted.
        owner: id of the store that the blobs were named for before; "" for none.
    """

    data: Path
    storage: BlobStore
    before: str
    new_database: bool
    store: str = ""
    owner: str = ""

    def admit(self, connection: Connection, is_new: bool) -> None:  # noqa: FBT001
        """Have them belong together, in the transaction that makes the tables of a new database."""
        if is_new:
            content = _holds_content(self.storage)
            if (content or self.before) and not self.new_database:
                raise DatabaseMissing(_lost(self.data))
            establish(connection, time.time() if content else 0.0)
        self.store = identity(connection).id
        if not is_new and self.store != self.before:
            _require_joinable(self.data, self.storage, self.before, new_database=self.new_database)
        if isinstance(self.storage, OwnedStore):
            self.owner = self.storage.owner.store()
            _require_own_prefix(self.owner, self.storage, connection, self.store, new_database=self.new_database)
        if self.store != self.before:
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self.data / elsewhere.MARK, elsewhere.mark_of(self.store))


def _require_joinable(data: Path, storage: BlobStore, before: str, *, new_database: bool) -> None:
    """Whether a folder may join a store that has begun elsewhere."""
    if isinstance(storage, DiskStore):
        raise RowsUnusable(
            f"the database of metadata.url is that of another data folder than {data}, and blobs are files of a "
            "folder: keep them in an object store (storage.url), which nodes share, name that folder with --data, or "
            f"name an empty database; a copy of that folder needs its {elsewhere.MARK} too"
        )
    if before and not new_database:
        raise RowsUnusable(
            f"the database of metadata.url is not the one that {data} has been used with: name that one, or join this "
            "one with `basegate serve --new-database`"
        )


def _require_own_prefix(
    owner: str, storage: BlobStore, connection: Connection, store: str, *, new_database: bool
) -> None:
    """Whether blobs and rows are those of the same registry."""
    if owner == store:
        return
    names = connection.execute(select(repository_blobs.c.digest).limit(1)).first() is not None
    if owner and (names or not new_database):
        raise RowsUnusable(
            "the prefix of storage.url has the blobs of another registry than the database of metadata.url: name the "
            "bucket and prefix, or the database, that the other nodes have; a new registry needs a prefix of its own"
        )
    if not owner and names and not _holds_content(storage):
        raise RowsUnusable(
            "the prefix of storage.url has no blobs, and the database of metadata.url names some: name the bucket and "
            "prefix that the other nodes have; where these blobs are lost for good, put an object registry.json with "
            f'{{"store": "{store}"}} there, and run `basegate verify --repair`'
        )


def _name_owner(owner: PrefixOwner, store: str, rows: "PostgresStore") -> None:
    try:
        owner.name(store)
    except BaseException:
        rows.close()
        raise


def _lost(data: Path) -> str:
    return (
        f"there is content, or {data} has been used before, and the database of metadata.url is empty: name the right "
        "database, restore it from its own backup, or begin anew without what was there with `basegate serve "
        "--new-database`"
    )


def _holds_content(storage: BlobStore) -> bool:
    return isinstance(storage, MaintainedStore) and next(storage.digests(""), None) is not None
