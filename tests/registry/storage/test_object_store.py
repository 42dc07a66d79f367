"""Blobs in an object store behind a whole registry: requests, maintenance, and what differs from files."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import yaml
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.config.storage import StorageSettings
from registry.oci.digest import Digest
from registry.storage.blob_store import MaintainedStore
from tests.registry.storage.object_servers import moto, names_in, spoil_object
from tests.repository import Pushed, Repository
from tests.servers import LiveRegistry, open_registry

SMALL, LARGE = b"small" * 100, bytes(range(256)) * 30_000


@pytest.fixture
def storage(tmp_path: Path) -> StorageSettings:
    """A place of its own, from which blobs come each time."""
    return StorageSettings.model_validate(moto().settings(tmp_path / "keys", blob_cache_bytes=0))


@pytest.fixture
def live(tmp_path: Path, storage: StorageSettings) -> Iterator[LiveRegistry]:
    """A registry over it, which collects what is no second old."""
    groups = {"storage": storage.model_dump(), "gc": {"grace_seconds": 0}}
    with open_registry(tmp_path / "data", **groups) as live:
        yield live


@pytest.fixture
def repository(live: LiveRegistry) -> Iterator[Repository]:
    """One of its repositories."""
    with live.client() as client:
        yield Repository(client, "team/app")


def run(live: LiveRegistry, *words: str) -> Result:
    """A command in the data folder."""
    settings = live.app.settings.current.model_dump(mode="json", include={"storage", "gc"})
    file = live.data.parent / "basegate.yaml"
    file.write_text(yaml.safe_dump(settings))
    return CliRunner().invoke(basegate, [*words, "--data", str(live.data), "--config", str(file)])


@pytest.mark.parametrize("content", [b"", SMALL, LARGE])
def test_a_pushed_blob_is_one_object(storage: StorageSettings, repository: Repository, content: bytes) -> None:
    """Under its digest, and it comes back whole."""
    blob = repository.blob(content)
    names = [name for name in names_in(storage) if name != "basegate.json"]
    assert [name.rpartition("/")[0] for name in names] == [f"blobs/{blob.digest.replace(':', '/')}"]
    assert repository.get(f"blobs/{blob.digest}").content == content


def test_another_process_finds_what_was_pushed(tmp_path: Path, storage: StorageSettings) -> None:
    """With nothing in its memory."""
    groups = {"storage": storage.model_dump()}
    with open_registry(tmp_path / "data", **groups) as live, live.client() as client:
        pushed = Repository(client, "team/app").blob(LARGE)
    with open_registry(tmp_path / "data", **groups) as live, live.client() as client:
        assert Repository(client, "team/app").get(f"blobs/{pushed.digest}").content == LARGE


def test_a_collection_removes_and_undo_brings_back(
    live: LiveRegistry, repository: Repository, storage: StorageSettings
) -> None:
    """The object stays in the trash meanwhile, with a mark."""
    blob = repository.blob(LARGE)
    repository.client.delete(repository.url(f"blobs/{blob.digest}")).raise_for_status()
    collected = run(live, "gc", "run", "--json")
    assert (collected.exit_code, json.loads(collected.stdout)["blobs"]) == (0, 1)
    assert [name.endswith(".trash") for name in names_in(storage)].count(True) == 1
    assert repository.head(f"blobs/{blob.digest}").status_code == 404
    assert run(live, "gc", "undo").exit_code == 0


def test_the_trash_is_emptied(live: LiveRegistry, repository: Repository, storage: StorageSettings) -> None:
    """Nothing is left but the mark of the prefix."""
    blob = repository.blob(LARGE)
    repository.client.delete(repository.url(f"blobs/{blob.digest}")).raise_for_status()
    assert run(live, "gc", "run").exit_code == 0
    assert run(live, "trash", "empty", "--yes").exit_code == 0
    assert names_in(storage) == ["basegate.json"]


@pytest.mark.parametrize("command", [("scrub",), ("verify", "--digests")])
def test_damage_is_found_by_reading(live: LiveRegistry, repository: Repository, command: tuple[str, ...]) -> None:
    """Also of a large blob, and a push heals it."""
    blob = image(repository, LARGE)
    assert run(live, *command).exit_code == 0
    spoil_object(live.app.services.stores.storage, live.data, blob.digest, LARGE[::-1])  # type: ignore[arg-type]
    assert (run(live, *command).exit_code, blob.digest in run(live, "scrub").stdout) == (1, True)
    repository.blob(LARGE)
    assert repository.get(f"blobs/{blob.digest}").content == LARGE


def image(repository: Repository, layer: bytes) -> Pushed:
    """An image with a layer, which is returned."""
    blob = repository.blob(layer)
    repository.image("v1", blob)
    return blob


def test_what_a_scrub_finds_sound_counts_again(live: LiveRegistry, repository: Repository) -> None:
    """A store that was wrong for a time."""
    blob = image(repository, SMALL)
    store = live.app.services.stores.storage
    spoil_object(store, live.data, blob.digest, SMALL[::-1])  # type: ignore[arg-type]
    assert repository.get(f"blobs/{blob.digest}").status_code == 404
    spoil_object(store, live.data, blob.digest, SMALL)  # type: ignore[arg-type]
    assert run(live, "scrub").exit_code == 0
    assert repository.get(f"blobs/{blob.digest}").content == SMALL


def test_a_large_blob_that_is_damaged_breaks_off(live: LiveRegistry, repository: Repository) -> None:
    """No client takes it for a whole one."""
    blob = repository.blob(LARGE)
    spoil_object(live.app.services.stores.storage, live.data, blob.digest, LARGE[::-1])  # type: ignore[arg-type]
    with pytest.raises(httpx.RemoteProtocolError):
        repository.get(f"blobs/{blob.digest}")


def test_pushes_of_one_blob_at_once_all_stand(live: LiveRegistry, repository: Repository) -> None:
    """Each has an object of its own."""

    def push(number: int) -> str:
        with live.client() as client:
            return Repository(client, f"team/app{number}").blob(LARGE).digest

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(push, range(8))) == {Digest.of(LARGE)}


def test_a_listing_goes_on_behind_a_digest(live: LiveRegistry, repository: Repository) -> None:
    """As a scrub that was cut short does."""
    store = live.app.services.stores.storage
    assert isinstance(store, MaintainedStore)
    digests = sorted(repository.blob(bytes([number])).digest for number in range(5))
    assert list(store.digests("")) == digests
    assert list(store.digests(digests[2])) == digests[3:]


def test_a_backup_says_what_to_do_instead(live: LiveRegistry, tmp_path: Path) -> None:
    """No set is begun."""
    done = run(live, "backup", str(tmp_path / "backup"))
    assert (done.exit_code, "docs/cluster.md" in done.stderr) == (2, True)
    assert not list(tmp_path.glob("backup/set-*"))


def test_a_command_without_the_settings_refuses_the_folder(live: LiveRegistry, tmp_path: Path) -> None:
    """It does not take an empty folder for a registry without blobs."""
    (tmp_path / "empty.yaml").write_text("{}")
    arguments = ["verify", "--data", str(live.data), "--config", str(tmp_path / "empty.yaml")]
    done = CliRunner().invoke(basegate, arguments)
    assert (done.exit_code, "storage.url" in done.stderr) == (2, True)
