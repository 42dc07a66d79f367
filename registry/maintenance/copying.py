"""The copy of the rows: a second database beside the blobs, at most a minute behind, in case the first is lost.

Events bring it up to date: the rows that they name are deleted from the copy and copied again, in one transaction on
both databases. So reading an event twice does no harm, and pushes only pay for another thread. The journal of small
blobs, which have files, is not copied, nor is the trash (see `NOT_FOLLOWED`). A full copy is made when there is none,
when the schema has changed, and when events were deleted.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from registry.maintenance.snapshot import take_snapshot
from registry.metadata.copied import COPY_NAME, CopyState, copy_state
from registry.metadata.open_store import FILE_NAME
from registry.storage.disk.atomic_file import put_in_place

_NOT_COPIED = ("events", "fresh_blobs", "trash", "webhook_deliveries", "mirror_fetches")
NOT_FOLLOWED = {
    "events": "too many; their numbers go on",
    "fresh_blobs": "they have files",
    "trash": "what is in it has ceased to count",
    "webhook_deliveries": "a log of what was sent",
    "mirror_fetches": "uploads under way, which begin again",
    "mirrored_tags": "an earlier look at the upstream is looked at again when it is old",
    "last_pulls": "written all the time and without events; a rebuild has retention count from then on",
    "attestations": "the newest are made anew from the verdicts",
    "attested_content": "goes with the attestations",
    "told_marks": "what was told after the first copy is told once more",
    "uploads": "of several nodes, whose rows are in PostgreSQL; a file of rows has none",
    "upload_pieces": "as uploads",
}
"""The tables that are not brought up to date, and why."""
_HERE = "(SELECT r.id, k.{column} FROM keys k JOIN main.repositories r ON r.name = k.repository)"
_STEPS = (
    # A removed repository is deleted with its rows; there may be a new one of the same name.
    """DELETE FROM main.repositories WHERE name IN (
           SELECT repository FROM src.events WHERE id > :after AND kind = 'repository.deleted')""",
    """INSERT OR IGNORE INTO main.repositories SELECT * FROM src.repositories WHERE name IN (
           SELECT repository FROM src.events WHERE id > :after)""",
    "DELETE FROM locks",
    "INSERT INTO locks SELECT * FROM src.locks WHERE repository_id IN (SELECT id FROM main.repositories)",
    "DELETE FROM principal_secrets",
    "DELETE FROM principals",
    "INSERT INTO principals SELECT * FROM src.principals",
    "DELETE FROM scope_maps",
    "INSERT INTO scope_maps SELECT * FROM src.scope_maps",
    "INSERT INTO principal_secrets SELECT * FROM src.principal_secrets",
    "DELETE FROM store",
    "INSERT INTO store SELECT * FROM src.store",
    "DELETE FROM holds",
    "INSERT INTO holds SELECT * FROM src.holds",
    "DELETE FROM webhooks",
    "INSERT INTO webhooks SELECT * FROM src.webhooks",
    "DELETE FROM event_sinks",
    "INSERT INTO event_sinks SELECT * FROM src.event_sinks",
    # What counted until then has got its end; with a repository ends all of its history.
    """INSERT OR REPLACE INTO tag_history SELECT s.* FROM main.tag_history m JOIN src.tag_history s ON s.id = m.id
           WHERE m.until IS NULL AND (m.repository, m.tag) IN (
           SELECT repository, tag FROM src.events WHERE id > :after AND kind LIKE 'tag.%')""",
    """INSERT OR REPLACE INTO tag_history SELECT s.* FROM main.tag_history m JOIN src.tag_history s ON s.id = m.id
           WHERE m.until IS NULL AND m.repository IN (
           SELECT repository FROM src.events WHERE id > :after AND kind = 'repository.deleted')""",
    """INSERT INTO tag_history SELECT * FROM src.tag_history
           WHERE id > (SELECT coalesce(max(id), 0) FROM main.tag_history)""",
)
_TABLES = (("manifests", "digest", "manifest.%"), ("tags", "name", "tag.%"), ("repository_blobs", "digest", "blob.%"))
_KEYS = {"digest": "digest", "name": "tag"}


def copy_rows(data: Path) -> CopyState:
    """Bring the copy of a data folder up to date, durably (blocking).

    Raises:
        sqlite3.Error, OSError: reading or writing fails; the copy is unchanged.
        DatabaseUnsound: the rows cannot be read.
    """
    path = data / COPY_NAME
    state = copy_state(path)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if state is None or not _goes_on(data, path, state):
        return _copy_whole(data, path, state)
    with _opened(data, path) as copy:
        copy.execute("BEGIN IMMEDIATE")
        upto = _last_event(copy, "src")
        copy.execute("CREATE TEMP TABLE IF NOT EXISTS keys (repository TEXT, digest TEXT, tag TEXT)")
        for step in _STEPS:
            copy.execute(step, {"after": state.event})
        for table, column, kind in _TABLES:
            _take_anew(copy, table, column, {"after": state.event, "kind": kind})
        made = time.time()
        copy.execute("UPDATE copied SET event = ?, made = ?", (upto, made))
        copy.execute("COMMIT")
    return CopyState(state.store, upto, made)


def _take_anew(copy: sqlite3.Connection, table: str, column: str, values: dict[str, object]) -> None:
    """Copy a table's rows that events name again: changed, new, or deleted."""
    key = _HERE.format(column=_KEYS[column])
    copy.execute("DELETE FROM temp.keys")
    copy.execute(
        "INSERT INTO temp.keys SELECT DISTINCT repository, digest, tag FROM src.events WHERE id > :after "
        "AND kind LIKE :kind",
        values,
    )
    copy.execute(f"DELETE FROM main.{table} WHERE (repository_id, {column}) IN {key}")  # noqa: S608 - constants
    copy.execute(f"INSERT INTO main.{table} SELECT * FROM src.{table} WHERE (repository_id, {column}) IN {key}")  # noqa: S608
    if table == "manifests":
        copy.execute(
            "INSERT INTO main.manifest_references SELECT x.* FROM main.manifests m "  # noqa: S608
            f"JOIN src.manifest_references x ON x.manifest_id = m.id WHERE (m.repository_id, m.digest) IN {key}"
        )


def _goes_on(data: Path, path: Path, state: CopyState) -> bool:
    """Whether the events since then cover all changes."""
    with _opened(data, path) as copy:
        (store,) = copy.execute("SELECT id FROM src.store").fetchone()
        (same,) = copy.execute(
            "SELECT count(*) FROM alembic_version a JOIN src.alembic_version b ON a.version_num = b.version_num"
        ).fetchone()
        (counted,) = copy.execute("SELECT count(*) FROM src.events WHERE id > ?", (state.event,)).fetchone()
        return bool(store == state.store and same and counted == _last_event(copy, "src") - state.event)


def _copy_whole(data: Path, path: Path, earlier: CopyState | None) -> CopyState:
    draft = path.with_name(".rows.db.draft")
    take_snapshot(data / FILE_NAME, draft)
    with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
        event, made = _last_event(copy, "main"), time.time()
        (store,) = copy.execute("SELECT id FROM store").fetchone()
        copy.execute("BEGIN")
        for table in _NOT_COPIED:
            copy.execute(f"DELETE FROM {table}")  # noqa: S608 - a constant
        copy.execute("CREATE TABLE copied (event INTEGER NOT NULL, made FLOAT NOT NULL)")
        copy.execute("INSERT INTO copied VALUES (?, ?)", (event, made))
        copy.execute("COMMIT")
    if earlier is not None and earlier.store != store:
        # The copy is of a store whose database was lost and started again: keep it, somebody may need it.
        path.replace(path.with_name(f"rows-of-{earlier.store}.db"))
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    put_in_place(draft, path)
    return CopyState(store, event, made)


@contextmanager
def _opened(data: Path, path: Path) -> Iterator[sqlite3.Connection]:
    """The copy, with the database attached as `src`, which is only read."""
    with closing(sqlite3.connect(path, timeout=20.0, isolation_level=None)) as copy:
        for pragma in ("journal_mode=DELETE", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            copy.execute(f"PRAGMA {pragma}")
        copy.execute("ATTACH DATABASE ? AS src", (str(data / FILE_NAME),))
        yield copy


def _last_event(copy: sqlite3.Connection, schema: str) -> int:
    row = copy.execute(f"SELECT seq FROM {schema}.sqlite_sequence WHERE name = 'events'").fetchone()  # noqa: S608
    return int(row[0]) if row else 0
