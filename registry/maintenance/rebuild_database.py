"""Makes the rows of several nodes anew in an empty PostgreSQL database, from their copy in the object store."""

import tempfile
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from registry.config.settings import RegistrySettings
from registry.maintenance.migration.blobs import named_blobs
from registry.maintenance.migration.databases import new_rows, still_served
from registry.maintenance.migration.tables import give_out_from
from registry.maintenance.rebuild import NothingToRebuild, Rebuilt, count_pulls_anew
from registry.maintenance.restore import EVENTS_SKIPPED
from registry.maintenance.row_archive import ArchiveHead, CopiedBeside, read_archive
from registry.metadata.elsewhere import store_of
from registry.metadata.identity import establish
from registry.metadata.tables import events
from registry.oci.digest import Digest
from registry.storage.blob_store import MaintainedStore
from registry.storage.copies import CopiesStore, KeptCopy
from registry.storage.opening import open_object_store

_COUNTED = ("repositories", "manifests", "tags", "principals")


class NodesRunning(NothingToRebuild):
    """Nodes are connected to the database."""


def rebuild_database(settings: RegistrySettings, beside: Sequence[CopiedBeside]) -> Rebuilt:
    """Fill the empty database of `metadata.url`, in one transaction (blocking); no node may run.

    Args:
        settings: where the store, the database and the data folder are.
        beside: what was copied beside rows.

    Raises:
        NothingToRebuild: there is no copy, or it is not known which one.
        TargetOccupied: the database is not empty.
        ArchiveUnusable: the copy is damaged, or another version's.
        StoreUnusable, DatabaseUnreachable, Unavailable: one of them is wrong or away.
    """
    if not settings.storage.url:
        raise NothingToRebuild(
            f"{settings.data} has its rows in PostgreSQL and its blobs in files, where no copy of the rows is made: "
            "restore that database from its backup, then run `basegate verify --repair` (docs/cluster.md)"
        )
    with ThreadPoolExecutor(settings.storage.threads) as pool:
        storage = open_object_store(settings, pool)
        with tempfile.TemporaryDirectory(prefix=".rebuild-", dir=settings.data) as folder:
            file = Path(folder) / "rows.zip"
            copy = _fetched(storage, settings, file)
            head, named = _made(settings, file, beside, copy.name)
        count_pulls_anew(settings.data)
        return _described(head, named, storage)


def _fetched(storage: MaintainedStore, settings: RegistrySettings, file: Path) -> KeptCopy:
    """The newest copy, which is written to a file."""
    assert isinstance(storage, CopiesStore)  # noqa: S101 - every object store is one
    newest = _newest(storage.copies.kept(), store_of(settings.data), settings.storage.url)
    file.touch(mode=0o600)
    with file.open("wb") as opened:
        storage.copies.get(newest, opened)
    return newest


def _newest(copies: Sequence[KeptCopy], marked: str, url: str) -> KeptCopy:
    stores = {marked} if marked else {copy.store for copy in copies}
    if len(stores) > 1:
        raise NothingToRebuild(
            f"{url} has copies of the rows of several stores, {', '.join(sorted(stores))}: name the data folder of one "
            "of its nodes, whose rows.json tells which one it is"
        )
    found = [copy for copy in copies if copy.store in stores]
    if not found:
        raise NothingToRebuild(
            f"there is no copy of the rows in {url}: restore the database from its own backup, or begin anew with "
            "`basegate serve --new-database`, which keeps every blob"
        )
    return found[-1]


def _made(
    settings: RegistrySettings, file: Path, beside: Sequence[CopiedBeside], name: str
) -> tuple[ArchiveHead, set[Digest]]:
    with new_rows(settings, settings.data) as rows:
        if still_served(rows):
            raise NodesRunning("nodes, or commands, are connected to the database: stop them first")
        head = read_archive(rows, file, beside, name)
        # What came behind the copy is not known: its blobs are not garbage for that, nor its numbers free.
        establish(rows, time.time(), head.store)
        give_out_from(rows, events, head.event + EVENTS_SKIPPED)
        named = {*named_blobs(rows)}
        rows.commit()
    return head, named


def _described(head: ArchiveHead, named: Collection[Digest], storage: MaintainedStore) -> Rebuilt:
    there = {*storage.digests("")}
    rows = {name: head.tables[name].rows for name in _COUNTED}
    missing = sorted(str(digest) for digest in named if digest not in there)
    return Rebuilt(head.made, rows, len(named), 0, missing, len(there.difference(named)), "")
