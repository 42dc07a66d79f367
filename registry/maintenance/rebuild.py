"""Rebuilds a lost or damaged database from the copy of its rows and from the files."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from registry.content.retention_state import read_state, save_state
from registry.database.sqlite import connect
from registry.errors import BasegateError
from registry.maintenance.restore import EVENTS_SKIPPED
from registry.maintenance.snapshot import problems_of, take_snapshot
from registry.metadata import manifests, repositories
from registry.metadata.copied import COPY_NAME, copy_state
from registry.metadata.elsewhere import marked
from registry.metadata.manifests import Pushed
from registry.metadata.open_store import FILE_NAME, bring_up_to_date, open_metadata
from registry.oci.digest import Digest
from registry.oci.errors import OciError
from registry.oci.manifest import parse_manifest
from registry.oci.names import RepositoryName
from registry.storage.disk.atomic_file import put_in_place
from registry.storage.disk.directories import folder_of
from registry.storage.disk.layout import Layout


class NothingToRebuild(BasegateError):
    """The database is sound, or there is nothing to rebuild it from."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The contents of a rebuilt database.

    Attributes:
        made: when its tags, deletes and principals were copied, in seconds since the epoch.
        rows: number of `repositories`, `manifests`, `tags` and `principals`.
        blobs: number of blobs in repositories.
        salvaged: manifests read from the damaged database.
        missing: blobs in repositories without bytes; with rows in a file none is looked for in an object store.
        unknown: blobs that are in no known repository; they are kept.
        aside: path of the old database, or "".
    """

    made: float
    rows: dict[str, int]
    blobs: int
    salvaged: int
    missing: list[str]
    unknown: int
    aside: str


def rebuild(data: Path, *, force: bool = False) -> Rebuilt:
    """Rebuild the database and put it in place (blocking); no server may run.

    Args:
        data: the data folder.
        force: also replace a sound database, for example one that is older than its copy.

    Raises:
        NothingToRebuild: see there.
        DatabaseUnsound, OSError: the copy cannot be read, or writing fails.
    """
    path, copy = data / FILE_NAME, data / COPY_NAME
    if marked(data):
        raise NothingToRebuild(
            f"{data} has its rows in PostgreSQL: name the empty database to make them in as metadata.url, and the "
            "object store that has their copy as storage.url (docs/cluster.md)"
        )
    if not force and path.exists() and path.stat().st_size and not problems_of(path):
        raise NothingToRebuild(f"{path} is sound: there is nothing to rebuild; --force takes the copy all the same")
    state = copy_state(copy)
    if state is None:
        raise NothingToRebuild(
            f"there is no copy of the rows in {copy}: restore a backup with `basegate restore`, or begin anew with "
            "`basegate serve --new-database`, which keeps every file"
        )
    draft = data / f".{FILE_NAME}.rebuilt"
    take_snapshot(copy, draft)
    salvaged = _salvage(draft, path) if path.exists() and not force else 0
    with closing(sqlite3.connect(draft, isolation_level=None)) as rows:
        rows.execute("BEGIN IMMEDIATE")
        rows.execute("DROP TABLE copied")
        rows.execute("UPDATE store SET knows_since = ?", (time.time(),))
        _go_on_counting(rows, state.event)
        _link_what_is_there(rows, Layout(data))
        rows.execute("COMMIT")
        rows.execute("PRAGMA journal_mode=DELETE")
    aside = _swap(path, draft)
    copy.unlink()  # the server makes a new one
    open_metadata(data).close()
    count_pulls_anew(data)
    return _described(path, Layout(data), state.made, salvaged, aside)


def _go_on_counting(rows: sqlite3.Connection, event: int) -> None:
    """Continue the numbers of events, past those that may have been given out after the copy was made."""
    rows.execute("DELETE FROM sqlite_sequence WHERE name = 'events'")
    rows.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (event + EVENTS_SKIPPED,))


def count_pulls_anew(data: Path) -> None:
    """The copy is behind in pulls: what retention does not find there may have been pulled until now."""
    state = read_state(data)
    if state.pulls_since:
        save_state(data, replace(state, pulls_since=time.time()))


def _salvage(draft: Path, damaged: Path) -> int:
    """Add readable manifests of the damaged database that the copy lacks; returns their number."""
    engine, salvaged = connect(draft, begin="BEGIN IMMEDIATE"), 0
    try:
        with engine.begin() as rows:
            bring_up_to_date(rows)  # the copy may be of an older basegate
            for row in _readable(damaged):
                with suppress(OciError):
                    salvaged += _add_manifest(rows, *row)
    finally:
        engine.dispose()
    return salvaged


def _readable(damaged: Path) -> Iterator[tuple[str, str, str, bytes, float, str]]:
    query = """SELECT r.name, m.digest, m.media_type, m.content, m.pushed, m.pushed_by
                  FROM manifests m JOIN repositories r ON r.id = m.repository_id
                  WHERE m.content IS NOT NULL ORDER BY m.id DESC"""
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(damaged)) as opened:
        yield from opened.execute(query)


def _add_manifest(  # noqa: PLR0913, PLR0917
    rows: Connection, name: str, text: str, media_type: str, content: bytes, pushed: float, by: str
) -> int:
    digest = Digest.parse(text)
    here = repositories.ensure(rows, RepositoryName.parse(name), pushed)
    if Digest.of(content, digest.algorithm) != digest or manifests.present(rows, here, [digest]):
        return 0
    manifests.put(rows, here, Pushed(digest, content, parse_manifest(content, media_type), by, pushed), None)
    return 1


def _link_what_is_there(rows: sqlite3.Connection, layout: Layout) -> None:
    """Link blobs to the repositories whose manifests name them, if their files exist."""
    query = """SELECT DISTINCT x.repository_id, x.digest FROM manifest_references x
                  LEFT JOIN repository_blobs b ON b.repository_id = x.repository_id AND b.digest = x.digest
                  WHERE x.kind <> 'child' AND b.digest IS NULL"""
    for repository, digest in rows.execute(query).fetchall():
        path = layout.blob(Digest(digest))
        if path.is_file():
            values = (repository, digest, path.stat().st_size, time.time())
            rows.execute(
                "INSERT INTO repository_blobs (repository_id, digest, size, created) VALUES (?, ?, ?, ?)", values
            )


def _described(path: Path, layout: Layout, made: float, salvaged: int, aside: str) -> Rebuilt:
    with closing(sqlite3.connect(path)) as rows:

        def number(table: str) -> int:
            return int(rows.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - a constant

        shown = {Digest(digest) for (digest,) in rows.execute("SELECT DISTINCT digest FROM repository_blobs")}
        counts = {table: number(table) for table in ("repositories", "manifests", "tags", "principals")}
    if layout.keeps_objects:
        return Rebuilt(made, counts, len(shown), salvaged, [], 0, aside)
    there = {digest for folder in layout.blobs.glob("*/*") for digest in folder_of(folder)}
    return Rebuilt(made, counts, len(shown), salvaged, sorted(shown - there), len(there - shown), aside)


def _swap(path: Path, draft: Path) -> str:
    """Put the new database in place and rename the old one with its side files; returns the old one's path."""
    aside = ""
    for ending in ("-wal", "-shm", ""):
        old = path.with_name(path.name + ending)
        if old.exists():
            target = path.with_name(f"{path.name}.before-{int(time.time())}{ending}")
            old.replace(target)
            aside = str(target)
    put_in_place(draft, path)
    return aside
