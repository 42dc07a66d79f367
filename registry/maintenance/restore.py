"""Restores a backup into a new data folder, verifying every byte."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from registry.maintenance.backup import named_blobs
from registry.maintenance.backup_index import BackupRefused, read_index, require_set
from registry.maintenance.copied_file import take_blob
from registry.maintenance.snapshot import require_sound
from registry.metadata.open_store import FILE_NAME
from registry.storage.disk.fsync import sync_directory
from registry.storage.disk.layout import Layout
from registry.storage.disk.ownership import give_all

EVENTS_SKIPPED = 1_000_000_000
"""How many numbers of events a restore leaves out: a thousand events a second for eleven days since the backup.

Receivers drop an id of the same store that they know. What readers of JSON take for a whole number (2**53) has room for
nine million restores.
"""


def restore_backup(folder: Path, data: Path) -> list[str]:
    """Make a data folder from a backup (blocking); returns blobs that are missing or damaged in the backup.

    The folder gets its name when it is complete. Made by root, it belongs to whom the empty folder in its place does,
    or else the backup.

    Raises:
        BackupRefused: the folder is no backup, or the data folder is not empty.
        DatabaseUnsound: the rows of the backup are damaged.
        OSError: reading or writing fails.
    """
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise BackupRefused(f"{data} holds something already: name a new folder with --data")
    part = require_set(folder, read_index(folder))
    require_sound(part / FILE_NAME)
    draft = data.with_name(f".{data.name}.restoring.{os.getpid()}")
    data.parent.mkdir(parents=True, exist_ok=True)
    draft.mkdir(mode=0o700)
    try:
        shutil.copytree(part, draft, dirs_exist_ok=True)
        _skip_events(draft / FILE_NAME)
        missing = _bring_blobs(folder, draft)
        for path in [draft, *draft.rglob("*")]:
            if path.is_dir():
                sync_directory(path)
        give_all(draft, (data if data.exists() else folder).stat())
        os.sync()
        draft.replace(data)
        sync_directory(data.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return missing


def _skip_events(path: Path) -> None:
    """Leave out the numbers of events that may have been given out after the backup."""
    with closing(sqlite3.connect(path, isolation_level=None)) as rows:
        rows.execute("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'events'", (EVENTS_SKIPPED,))


def _bring_blobs(folder: Path, draft: Path) -> list[str]:
    layout, source = Layout(draft), Layout(folder)
    layout.prepare()
    return [
        digest
        for digest, _ in named_blobs(draft / FILE_NAME)
        if not take_blob(source.blob(digest), layout.blob(digest), digest, linked=False)
    ]
