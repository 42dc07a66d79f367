"""Rows in PostgreSQL are copied to the object store beside requests, and are made anew from their newest copy."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.config.settings import RegistrySettings
from registry.database.postgres import Database
from registry.maintenance.stored_copies import copy_to_store
from registry.metadata import events
from registry.metadata.identity import identity
from registry.oci.digest import Digest
from registry.storage.copies import CopiesStore, KeptCopy, RowCopies
from registry.storage.opening import open_object_store
from tests.postgres import PostgresServer
from tests.registry.maintenance.kept_copies import copied, copies_in, rows_in
from tests.registry.storage.object_servers import moto
from tests.repository import Repository
from tests.servers import open_registry
from tests.waiting import wait_until

BEHIND = b"what came behind the copy"


class Lost(NamedTuple):
    """A node that is stopped, whose database is lost.

    Attributes:
        data: its folder.
        storage: the group `storage` of its settings.
        newest: the copy that it left.
        kept: how many there were.
        event: the number of its last change.
        empty: the group `metadata` for an empty database.
    """

    data: Path
    storage: dict[str, Any]
    newest: KeptCopy
    kept: int
    event: int
    empty: Callable[[], dict[str, Any]]

    def rebuild(self, metadata: dict[str, Any], data: Path | None = None) -> Result:
        """The command."""
        variables = {
            f"BASEGATE_{group}__{name.upper()}": str(value)
            for group, values in (("STORAGE", self.storage), ("METADATA", metadata))
            for name, value in values.items()
        }
        return CliRunner().invoke(basegate, ["rebuild", "--json", "--data", str(data or self.data)], env=variables)

    def rebuilt(self) -> dict[str, Any]:
        """Into an empty database, which is told."""
        metadata = self.empty()
        done = self.rebuild(metadata)
        assert done.exit_code == 0, done.output
        return {"metadata": metadata, **json.loads(done.stdout)}


@pytest.fixture(scope="module", name="lost")
def _lost(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Lost:
    """Images v0 to v3 were copied one after the other, and then came v4 and a blob."""
    folder = tmp_path_factory.mktemp("lost")
    data, storage, metadata = folder / "data", moto().settings(folder / "keys"), postgres.settings(copy_seconds=0.1)
    with open_registry(data, storage=storage, metadata=metadata) as live, live.client() as client:
        for number in range(4):
            Repository(client, "team/app").image(f"v{number}")
            newest = copied(live)
        wait_until(lambda: len(copies_in(live).kept()) <= 2)  # others go behind the newest
        kept = len(copies_in(live).kept())
    with open_registry(data, storage=storage, metadata=metadata | {"copy_seconds": 0}) as live, live.client() as client:
        Repository(client, "team/app").image("v4")
        Repository(client, "team/app").blob(BEHIND)
        _, event = rows_in(live).read_now(events.ends)
    return Lost(data, storage, newest, kept, event, partial(postgres.settings, copy_seconds=0))


def test_the_newest_and_the_one_before_are_kept(lost: Lost) -> None:
    """Others are removed."""
    assert lost.kept == 2


def test_what_came_behind_the_copy_is_not_known_and_kept(lost: Lost) -> None:
    """Its numbers are not given out again, and its blobs are no garbage."""
    done = lost.rebuilt()
    assert (done["rows"]["tags"], done["missing"]) == (4, [])
    assert done["unknown"] >= 1
    with open_registry(lost.data, storage=lost.storage, metadata=done["metadata"], gc={"grace_seconds": 0}) as live:
        assert rows_in(live).read_now(identity).knows_since > lost.newest.made
        with live.client() as client:
            tags = Repository(client, "team/app").get("tags/list").json()["tags"]
            Repository(client, "team/app").image("v5")
        assert tags == ["v0", "v1", "v2", "v3"]
        assert rows_in(live).read_now(events.ends)[1] > lost.event + 1000
        assert Digest.of(BEHIND) in live.app.services.stores.storage.digests("")  # type: ignore[attr-defined]


def test_a_new_folder_will_do(lost: Lost, tmp_path: Path) -> None:
    """That of every node is lost as well."""
    metadata = lost.empty()
    assert lost.rebuild(metadata, tmp_path / "new").exit_code == 0
    with open_registry(tmp_path / "new", storage=lost.storage, metadata=metadata) as live, live.client() as client:
        assert Repository(client, "team/app").get("manifests/v3").status_code == 200


def test_nodes_must_be_stopped(lost: Lost) -> None:
    """One is connected: nothing is made."""
    metadata = lost.empty()
    with Database(metadata["url"]).connect():
        refused = lost.rebuild(metadata)
    assert (refused.exit_code, "stop them first" in refused.stderr) == (2, True)
    assert lost.rebuild(metadata).exit_code == 0


def test_there_is_no_copy(lost: Lost, tmp_path: Path) -> None:
    """Of another prefix, or of another store."""
    elsewhere = lost._replace(storage=moto().settings(tmp_path / "keys"))
    for refused in (elsewhere.rebuild(lost.empty(), tmp_path / "new"), another(lost, tmp_path / "other")):
        assert (refused.exit_code, "there is no copy of the rows in" in refused.stderr) == (2, True)


def test_a_damaged_copy_makes_nothing(lost: Lost, tmp_path: Path) -> None:
    """It is refused; when it is removed, the one before is taken."""
    metadata, (whole, cut) = lost.empty(), (tmp_path / "whole", tmp_path / "cut")
    with store_of(lost.data, lost.storage) as copies:
        with whole.open("wb") as file:
            copies.get(lost.newest, file)
        content = bytearray(whole.read_bytes())
        content[len(content) // 3] ^= 255
        cut.write_bytes(content)
        damaged = copies.put(lost.newest.store, lost.newest.event, lost.newest.made + 1, cut)
        refused = lost.rebuild(metadata)
        copies.remove([damaged])
    assert (refused.exit_code, f"{damaged.name} is damaged" in refused.stderr) == (2, True)
    assert lost.rebuild(metadata).exit_code == 0


def test_a_copy_with_later_changes_stays(postgres: PostgresServer, tmp_path: Path) -> None:
    """The database is older than it was: somebody may want what it had."""
    groups = {"storage": moto().settings(tmp_path / "keys"), "metadata": postgres.settings()}
    settings = RegistrySettings.model_validate({"data": tmp_path / "data", **groups})
    with open_registry(tmp_path / "data", **groups) as live, store_of(tmp_path / "data", groups["storage"]) as copies:
        first = copied(live)
        (tmp_path / "file").write_bytes(b"a copy")
        later = copies.put(first.store, first.event + 10, first.made - 1, tmp_path / "file")
        made = [copy_to_store(settings, copies, (), lambda: None) for _ in range(2)]
        assert {copy.name for copy in copies.kept()} == {later.name, *(copy.name for copy in made)}


@contextmanager
def store_of(data: Path, storage: dict[str, Any]) -> Iterator[RowCopies]:
    """The copies in an object store, for a test that changes them."""
    settings = RegistrySettings.model_validate({"data": data, "storage": storage})
    with ThreadPoolExecutor(1) as pool:
        opened = open_object_store(settings, pool)
        assert isinstance(opened, CopiesStore)
        yield opened.copies


def another(lost: Lost, data: Path) -> Result:
    """A folder of another store, over the same prefix."""
    data.mkdir()
    (data / "rows.json").write_text('{"rows": "postgresql", "store": "another"}')
    return lost.rebuild(lost.empty(), data)
