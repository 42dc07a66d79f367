"""Faults put into the product on purpose, in the processes that are tested, to see that the points find them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event


def _put(module: Any, name: str, value: Any) -> None:
    assert hasattr(module, name)
    setattr(module, name, value)


def database_not_synced() -> None:
    """SQLite writes its log, and never waits for the disk."""
    from registry.database import sqlite  # noqa: PLC0415 - after the process was forked
    from registry.metadata import open_store, sqlite_store  # noqa: PLC0415

    connect = sqlite.connect

    def unsynced(*args: Any, **kwargs: Any) -> Engine:
        engine = connect(*args, **kwargs)
        event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
        return engine

    for module in (sqlite_store, open_store):
        _put(module, "connect", unsynced)


def blob_not_synced() -> None:
    """Bytes of blobs are written, and nobody waits for the disk."""
    from registry.storage.disk import store as disk  # noqa: PLC0415

    _put(os, "fdatasync", lambda _descriptor: None)
    _put(disk, "file_system_sync", lambda _folder: lambda: None)


def small_file_in_place() -> None:
    """A small blob is written right where it is read, also over itself."""
    from registry.storage.disk.small_files import SmallFiles  # noqa: PLC0415

    def add(_self: SmallFiles, _name: str, target: str, content: bytes) -> None:
        path = Path(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.chmod(0o644)
        path.write_bytes(content)
        path.chmod(0o444)

    _put(SmallFiles, "_add", add)


MUTANTS: dict[str, Callable[[], None]] = {
    "the database is not synced": database_not_synced,
    "blobs are not synced": blob_not_synced,
    "small files are written in place": small_file_in_place,
}


def apply(name: str) -> None:
    """Put one into this process."""
    MUTANTS[name]()
