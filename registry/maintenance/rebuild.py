"""Making the database anew from the copy of its rows and from the files, after it was lost or damaged."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from registry.database.sqlite import connect
from registry.errors import BasegateError
from registry.maintenance.snapshot import problems_of, take_snapshot
from registry.metadata import manifests, repositories
from registry.metadata.copied import COPY_NAME, copy_state
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
    """The database is there and sound, or nothing is left to rebuild it from."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuilt database holds.

    Attributes:
        made: seconds since the epoch: tags, deletes and principals are those of this moment.
        rows: how many repositories, manifests, tags and principals there are, by these words.
        blobs: how many the repositories show.
        salvaged: manifests that were read from the damaged database.
        missing: blobs that are shown and whose files are not there.
        unknown: files that no repository is known to show; they are kept.
        aside: where the old database is, or "".
    """

    made: float
    rows: dict[str, int]
    blobs: int
    salvaged: int
    missing: list[str]
    unknown: int
    aside: str


def rebuild(data: Path, *, force: bool = False) -> Rebuilt:
    """Put a database together and in place (blocking); no server may run.

    Args:
        data: the data folder.
        force: also when the database is there and sound, as one that is older than its copy is.

    Raises:
        NothingToRebuild: see there.
        DatabaseUnsound, OSError: the copy cannot be read, or the disk refuses.
    """
    path, copy = data / FILE_NAME, data / COPY_NAME
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
    copy.unlink()  # a new one is made of the new rows
    open_metadata(data).close()
    return _described(path, Layout(data), state.made, salvaged, aside)


def _go_on_counting(rows: sqlite3.Connection, event: int) -> None:
    """Numbers of events are never given twice: the copy counts by them."""
    rows.execute("DELETE FROM sqlite_sequence WHERE name = 'events'")
    rows.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (event,))


def _salvage(draft: Path, damaged: Path) -> int:
    """Manifests that the damaged database still gives, row by row, and the copy lacks; how many."""
    engine, salvaged = connect(draft, begin="BEGIN IMMEDIATE"), 0
    try:
        with engine.begin() as rows:
            bring_up_to_date(rows)  # the copy may be of an earlier basegate
            for found in _readable(damaged):
                with suppress(OciError):
                    salvaged += _add_manifest(rows, *found)
    finally:
        engine.dispose()
    return salvaged


def _readable(damaged: Path) -> Iterator[tuple[str, str, str, bytes, float, str]]:
    question = """SELECT r.name, m.digest, m.media_type, m.content, m.pushed, m.pushed_by
                  FROM manifests m JOIN repositories r ON r.id = m.repository_id
                  WHERE m.content IS NOT NULL ORDER BY m.id DESC"""
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(damaged)) as opened:
        yield from opened.execute(question)


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
    """A blob that a manifest of a repository names, and whose file is there, is one that the repository shows."""
    question = """SELECT DISTINCT x.repository_id, x.digest FROM manifest_references x
                  LEFT JOIN repository_blobs b ON b.repository_id = x.repository_id AND b.digest = x.digest
                  WHERE x.kind <> 'child' AND b.digest IS NULL"""
    for repository, digest in rows.execute(question).fetchall():
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
        found = {table: number(table) for table in ("repositories", "manifests", "tags", "principals")}
    there = {digest for folder in layout.blobs.glob("*/*") for digest in folder_of(folder)}
    return Rebuilt(made, found, len(shown), salvaged, sorted(shown - there), len(there - shown), aside)


def _swap(path: Path, draft: Path) -> str:
    """Put the new database in place, and the old one with its side files beside it."""
    aside = ""
    for ending in ("-wal", "-shm", ""):
        old = path.with_name(path.name + ending)
        if old.exists():
            target = path.with_name(f"{path.name}.before-{int(time.time())}{ending}")
            old.replace(target)
            aside = str(target)
    put_in_place(draft, path)
    return aside
