"""Backups beside a running server: a snapshot of the rows, and every blob that they name.

A backup folder can be reused: its blobs stay, new ones are added by hard links, or copied when the folder is on another
file system. The index is written last; until then the folder is the earlier backup.
"""

import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from registry.maintenance.backup_index import (
    BackupIndex,
    BackupRefused,
    read_index,
    require_set,
    sum_of,
    write_index,
)
from registry.maintenance.copied_file import take_blob, write_blob
from registry.maintenance.snapshot import take_snapshot
from registry.metadata.elsewhere import marked
from registry.metadata.open_store import FILE_NAME
from registry.oci.digest import Digest
from registry.storage.disk.atomic_file import replace_file
from registry.storage.disk.collection_lock import nothing_removed
from registry.storage.disk.fsync import sync_directory
from registry.storage.disk.layout import Layout
from registry.storage.disk.reading import hash_file
from registry.telemetry.audit_chain import head_text
from registry.telemetry.audit_file import HEAD_SUFFIX, head_of, snapshot

SMALL_FILES = ("standing-orders.json", "retention-orders.json", "keys/*", "tls/*", "audit/*", "records/*/*")
"""Files beside rows and blobs that cannot be computed again."""
_LOCK_SECONDS = 10.0
_NAMED = """
    SELECT digest, max(size) FROM (
        SELECT digest, size FROM repository_blobs UNION ALL SELECT digest, size FROM manifests WHERE content IS NULL
    ) GROUP BY digest ORDER BY digest
"""


def make_backup(data: Path, folder: Path, *, linked: bool = True) -> BackupIndex:
    """Bring a backup folder up to date (blocking); the server may run.

    Args:
        data: the data folder.
        folder: created when absent; else empty, or an earlier backup of the same store.
        linked: whether to make hard links to blobs instead of copies, where possible.

    Raises:
        BackupRefused: the folder contains something else, or rows or blobs are not in the data folder.
        DatabaseUnsound: the rows cannot be read.
        OSError: reading or writing fails.
    """
    _require_apart(data, folder)
    if marked(data):
        raise BackupRefused(
            f"{data} has its rows in PostgreSQL: back that database up with pg_dump or what your server has, and then "
            "the blobs, the bucket or the folder (docs/cluster.md)"
        )
    if Layout(data).keeps_objects:
        raise BackupRefused(
            f"{data} keeps its blobs in an object store: copy the database with its copy in copy/rows.db, and have the "
            "bucket keep versions or a replica (docs/cluster.md)"
        )
    earlier = _earlier(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with nothing_removed(data):
        made = time.time()
        part = folder / f"set-{int(made * 1000)}"
        part.mkdir(mode=0o700)
        database = part / FILE_NAME
        take_snapshot(data / FILE_NAME, database)
        store = store_of(database)
        if earlier is not None and earlier.store != store:
            shutil.rmtree(part)
            raise BackupRefused(f"{folder} is a backup of another registry: name another folder")
        _take_small_files(data, part)
        named = dict(named_blobs(database))
        missing = _take_blobs(Layout(data), Layout(folder), database, named, linked=linked)
    files = {str(path.relative_to(part)): sum_of(path) for path in sorted(part.rglob("*")) if path.is_file()}
    sound = {digest: size for digest, size in named.items() if digest not in missing}
    index = BackupIndex(store, made, part.name, files, len(sound), sum(sound.values()), sorted(missing))
    write_index(folder, index)
    _prune(folder, index, named)
    return index


def check_backup(folder: Path) -> list[str]:
    """Read a whole backup; returns one sentence per problem.

    Raises:
        BackupRefused: it is no backup, or its rows are damaged.
    """
    index = read_index(folder)
    part, layout, problems = require_set(folder, index), Layout(folder), []
    for digest, size in named_blobs(part / FILE_NAME):
        hashed = hash_file(layout.blob(digest), digest.algorithm)
        if hashed is None:
            problems.append(f"blob {digest} ({size} bytes) is missing")
        elif hashed[0] != digest.encoded:
            problems.append(f"blob {digest} is damaged")
    return problems


def named_blobs(database: Path) -> Iterator[tuple[Digest, int]]:
    """Every blob that the rows of a snapshot name, with its size in bytes."""
    with closing(sqlite3.connect(database)) as opened:
        for digest, size in opened.execute(_NAMED):
            yield Digest(digest), size


def store_of(database: Path) -> str:
    """The id of the store of a snapshot; "" for one of an older basegate, which had no ids."""
    with closing(sqlite3.connect(database)) as opened:
        try:
            row = opened.execute("SELECT id FROM store").fetchone()
        except sqlite3.OperationalError:
            return ""
    return str(row[0]) if row else ""


def _require_apart(data: Path, folder: Path) -> None:
    inner, outer = folder.resolve(), data.resolve()
    if inner == outer or outer in inner.parents or inner in outer.parents:
        raise BackupRefused(f"{folder} and the data folder {data} lie in each other: name a folder elsewhere")


def _earlier(folder: Path) -> BackupIndex | None:
    if not folder.exists() or not any(folder.iterdir()):
        return None
    if not any(path.name.startswith("set-") for path in folder.iterdir()):
        raise BackupRefused(f"{folder} is neither empty nor a backup: name another folder")
    try:
        return read_index(folder)
    except BackupRefused:
        return None  # an unfinished backup: start again


def _take_small_files(data: Path, part: Path) -> None:
    logs = [path.with_suffix("") for path in (data / "audit").glob(f"*{HEAD_SUFFIX}")]
    for log in logs:
        _take_audit_log(log, part / "audit")
    for pattern in SMALL_FILES:
        for path in sorted(data.glob(pattern)):
            if path.is_file() and not path.is_symlink() and not path.name.startswith(".") and not _is_of(path, logs):
                target = part / path.relative_to(data)
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                replace_file(target, _whole_lines(path), path.stat().st_mode & 0o777)


def _take_audit_log(log: Path, folder: Path) -> None:
    """Copy the files of an audit log with a chain, all of one moment: the chain of the copy is whole."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as opened:
        files, head = snapshot(log, opened, _LOCK_SECONDS)
        for file in files:
            content = file.opened.read(file.size)
            replace_file(folder / file.name, content[: content.rfind(b"\n") + 1], 0o600)
    if head is not None:
        replace_file(folder / head_of(log).name, head_text(head), 0o600)


def _is_of(path: Path, logs: Sequence[Path]) -> bool:
    return any(path.parent == log.parent and (path.name + ".").startswith(f"{log.name}.") for log in logs)


def _whole_lines(path: Path) -> bytes:
    """The bytes of a file; of an audit log without its last, perhaps incomplete line."""
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1] if path.parent.name == "audit" else content


def _take_blobs(
    source: Layout, target: Layout, database: Path, named: dict[Digest, int], *, linked: bool
) -> set[Digest]:
    """Add blobs that are not in the target; returns those that are missing or damaged at the source."""
    missing, folders = set(), set()
    with closing(sqlite3.connect(database)) as opened:
        for digest, size in named.items():
            place = target.blob(digest)
            if place.is_file() and place.stat().st_size == size:
                continue
            if not _take(source, place, digest, opened, linked=linked):
                missing.add(digest)
            folders |= {place.parent, place.parent.parent, place.parent.parent.parent}
    for folder in sorted(folders, reverse=True):
        if folder.is_dir():
            sync_directory(folder)
    return missing


def _take(source: Layout, place: Path, digest: Digest, opened: sqlite3.Connection, *, linked: bool) -> bool:
    place.unlink(missing_ok=True)
    if take_blob(source.blob(digest), place, digest, linked=linked):
        return True
    # A small blob without a durable file is in the journal.
    row = opened.execute("SELECT content FROM fresh_blobs WHERE digest = ?", (digest,)).fetchone()
    if row is None or Digest.of(row[0], digest.algorithm) != digest:
        return False
    write_blob(place, row[0])
    return True


def _prune(folder: Path, index: BackupIndex, named: dict[Digest, int]) -> None:
    """Delete earlier sets, and blobs that no row names."""
    for path in folder.glob("set-*"):
        if path.name != index.folder:
            shutil.rmtree(path)
    layout = Layout(folder)
    kept = {layout.blob(digest) for digest in named}
    for path in layout.blobs.glob("*/*/*"):
        if path not in kept:
            path.unlink()
