"""Backups beside a running server, brought up to date, checked and restored."""

import json
import sqlite3
import threading
from contextlib import closing
from itertools import count, takewhile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.crash.aftermath import damaged
from tests.registry.damages import flipped
from tests.registry.open_services import REPOSITORY, OpenServices, image, open_services
from tests.repository import Repository
from tests.servers import LiveRegistry, open_registry

LARGE = b"large" * 100_000


@pytest.fixture
def live(live: LiveRegistry, repository: Repository) -> LiveRegistry:
    """With an image, running while the commands work."""
    repository.image("v1", repository.blob(LARGE))
    return live


def backup(live: LiveRegistry, folder: Path, *arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(basegate, ["backup", str(folder), "--data", str(live.data), *arguments])


def restore(folder: Path, data: Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(basegate, ["restore", str(folder), "--data", str(data)])


def pulled(data: Path, *tags: str) -> list[bytes]:
    """The manifests of tags and the large layer, from a server over a restored folder."""
    with open_registry(data) as restored, restored.client() as client:
        repository = Repository(client, "team/app")
        found = [repository.get(f"manifests/{tag}").raise_for_status().content for tag in tags]
        return [*found, repository.get(f"blobs/{Digest.of(LARGE)}").raise_for_status().content]


def test_a_restored_backup_serves_what_was_there(live: LiveRegistry, tmp_path: Path) -> None:
    """Taken while the server runs: rows that are only in the write-ahead log, and small blobs that are not synced."""
    result = backup(live, tmp_path / "kept")
    assert (result.exit_code, restore(tmp_path / "kept", tmp_path / "new").exit_code) == (0, 0), result.output
    with live.client() as client:
        manifest = Repository(client, "team/app").get("manifests/v1").content
    assert pulled(tmp_path / "new", "v1") == [manifest, LARGE]
    assert damaged(tmp_path / "new") == []


def test_no_number_of_an_event_is_given_out_again(live: LiveRegistry, tmp_path: Path) -> None:
    """What happened after the backup had numbers too, and receivers drop what they know."""
    assert backup(live, tmp_path / "kept").exit_code == 0
    with live.client() as client:
        Repository(client, "team/app").image("later")
    assert restore(tmp_path / "kept", tmp_path / "new").exit_code == 0
    with open_registry(tmp_path / "new") as restored, restored.client() as client:
        Repository(client, "team/app").image("other")
    with closing(sqlite3.connect(live.data / "registry.db")) as old:
        (last,) = old.execute("SELECT max(id) FROM events").fetchone()
    with closing(sqlite3.connect(tmp_path / "new" / "registry.db")) as new:
        (tagged,) = new.execute("SELECT id FROM events WHERE tag = 'other'").fetchone()
    assert tagged > last + 1000


def test_keys_orders_and_audit_come_along(live: LiveRegistry, tmp_path: Path) -> None:
    """Whatever cannot be computed again; only the owner may read it."""
    (live.data / "standing-orders.json").write_text("{}")
    backup(live, tmp_path / "kept")
    restore(tmp_path / "kept", tmp_path / "new")
    for name in ("keys/signing.pem", "standing-orders.json"):
        assert (tmp_path / "new" / name).read_bytes() == (live.data / name).read_bytes()
    assert (tmp_path / "new" / "audit" / "audit.log").read_text().count("\n") > 0
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("kept", "new")] == [0o700, 0o700]


def test_a_second_backup_brings_what_is_new(live: LiveRegistry, tmp_path: Path) -> None:
    """And lets go of what the rows name no more; blobs are the same files as in the data folder."""
    backup(live, tmp_path / "kept")
    before = {path: path.stat().st_ino for path in (tmp_path / "kept").glob("blobs/*/*/*")}
    with live.client() as client:
        repository = Repository(client, "team/app")
        repository.image("v2", repository.blob(b"more" * 100_000))
        repository.delete("manifests/v1")
    assert backup(live, tmp_path / "kept").exit_code == 0
    after = {path: path.stat().st_ino for path in (tmp_path / "kept").glob("blobs/*/*/*")}
    assert len(after) == len(before) + 1
    assert before.items() <= after.items()
    assert {path.stat().st_ino for path in live.data.glob("blobs/*/*/*")} == set(after.values())


def test_copies_do_not_share_the_fate_of_their_originals(live: LiveRegistry, tmp_path: Path) -> None:
    """With --copy, damage to the data folder leaves the backup whole."""
    backup(live, tmp_path / "kept", "--copy")
    for path in live.data.glob("blobs/*/*/*"):
        flipped(path)
    assert backup(live, tmp_path / "kept", "--check").exit_code == 0


def test_damage_is_not_backed_up(live: LiveRegistry, tmp_path: Path) -> None:
    """What does not have its digest is left out and named: exit code 1."""
    flipped(next(live.data.glob(f"blobs/*/*/{Digest.of(LARGE).encoded}")))
    result = backup(live, tmp_path / "kept", "--json")
    assert (result.exit_code, json.loads(result.output)["missing"]) == (1, [Digest.of(LARGE)])
    assert restore(tmp_path / "kept", tmp_path / "new").exit_code == 1


@pytest.mark.parametrize("victim", ["blobs/*/*/*", "set-*/registry.db", "set-*/keys/signing.pem"])
def test_a_damaged_backup_is_found(live: LiveRegistry, tmp_path: Path, victim: str) -> None:
    """By reading it, and by restoring it."""
    backup(live, tmp_path / "kept", "--copy")
    for path in (tmp_path / "kept").glob(victim):
        flipped(path)
    assert backup(live, tmp_path / "kept", "--check").exit_code != 0
    assert restore(tmp_path / "kept", tmp_path / "new").exit_code != 0


@pytest.mark.parametrize("cut", ["backup.json", "set-*"])
def test_a_backup_that_was_cut_short_is_none(live: LiveRegistry, tmp_path: Path, cut: str) -> None:
    """Without its index or its set it is refused, and can be made again."""
    backup(live, tmp_path / "kept")
    for path in (tmp_path / "kept").glob(cut):
        path.rename(tmp_path / "aside")
    assert restore(tmp_path / "kept", tmp_path / "new").exit_code == 2
    assert not (tmp_path / "new").exists()
    (tmp_path / "kept" / "set-0").mkdir()
    assert backup(live, tmp_path / "kept").exit_code == 0
    assert restore(tmp_path / "kept", tmp_path / "new").exit_code == 0


@pytest.mark.parametrize("place", ["data/inside", ".", "foreign"])
def test_a_place_that_is_not_fit_is_refused(live: LiveRegistry, tmp_path: Path, place: str) -> None:
    """Within the data folder, around it, or full of something else."""
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "file").touch()
    assert backup(live, tmp_path / place).exit_code == 2


def test_nothing_is_restored_over_something(live: LiveRegistry, tmp_path: Path) -> None:
    """An existing registry stays as it is."""
    backup(live, tmp_path / "kept")
    before = sorted(live.data.iterdir())
    assert restore(tmp_path / "kept", live.data).exit_code == 2
    assert sorted(live.data.iterdir()) == before


def churn(services: OpenServices, number: int) -> None:
    """An image comes, its predecessor goes, with everything that only it used."""
    layers = [b"small %d" % number, b"large %d" % number * 10_000]
    services.run(services.push_image(Tag("latest"), layers))
    before = [b"small %d" % (number - 1), b"large %d" % (number - 1) * 10_000]
    if number:
        services.run(services.manifests.delete(REPOSITORY, Digest.of(image(before))))
    services.run(services.collector.run())


def test_backups_beside_pushes_and_collections_are_whole(tmp_path: Path) -> None:
    """Every blob that the rows of the moment name is in each of them."""
    stop, data = threading.Event(), tmp_path / "data"

    def disturb() -> None:
        with open_services(data, gc={"grace_seconds": 0}) as services:
            for number in takewhile(lambda _number: not stop.is_set(), count(1)):
                churn(services, number)

    with open_services(data, gc={"grace_seconds": 0}) as services:
        churn(services, 0)
    thread = threading.Thread(target=disturb)
    thread.start()
    found = [CliRunner().invoke(basegate, ["backup", str(tmp_path / f"{n}"), "--data", str(data)]) for n in range(5)]
    stop.set()
    thread.join()
    assert [result.output for result in found if result.exit_code] == []
