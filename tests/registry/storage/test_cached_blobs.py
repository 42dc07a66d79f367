"""Blobs of an object store that a node has at hand: sent without asking, and never anything but their bytes."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from registry.app import build
from registry.gate import ALLOWED, Decision, OpenGate
from registry.storage.blob_store import OpenedBlob
from registry.storage.objects.store import ObjectStore
from tests.registry.storage.object_servers import moto
from tests.registry.storage.toxic_store import SHORT, WELL, WRONG, ToxicStore, toxic
from tests.repository import Pushed, Repository
from tests.servers import LiveRegistry, joining, open_registry, open_settings, running
from tests.waiting import wait_until

LARGE, HUGE = bytes(range(256)) * 12_000, bytes(range(256)) * 250_000


@pytest.fixture
def store() -> Iterator[ToxicStore]:
    """What counts the requests."""
    with toxic(moto().endpoint) as store:
        yield store


@pytest.fixture
def live(tmp_path: Path, store: ToxicStore) -> Iterator[LiveRegistry]:
    """A registry with the defaults of the cache, which collects what is no second old."""
    storage = moto().settings(tmp_path / "keys", endpoint=store.endpoint)
    with open_registry(tmp_path / "data", storage=storage, gc={"grace_seconds": 0}) as live:
        yield live


@pytest.fixture
def repository(live: LiveRegistry) -> Iterator[Repository]:
    """One of its repositories."""
    with live.client() as client:
        yield Repository(client, "team/app")


@pytest.fixture
def blob(repository: Repository, store: ToxicStore) -> Pushed:
    """One that was just pushed."""
    blob = repository.blob(LARGE)
    store.requests.clear()
    return blob


class _Remover(OpenGate):
    """Removes all copies before it says yes to a pull."""

    def __init__(self, data: Path) -> None:
        self._copies = data / "cache"

    async def before_blob_pull(self, *_: object) -> Decision:
        """They go now."""
        for path in self._copies.iterdir():
            path.unlink()
        return ALLOWED


class _Counter(OpenGate):
    """Counts the pulls that it says yes to: none of those that are answered from memory."""

    def __init__(self) -> None:
        self.asked = 0

    async def before_blob_pull(self, *_: object) -> Decision:
        """One more."""
        self.asked += 1
        return ALLOWED


def storage_of(live: LiveRegistry) -> ObjectStore:
    """What it keeps blobs in."""
    storage = live.app.services.stores.storage
    assert isinstance(storage, ObjectStore)
    return storage


def copies(live: LiveRegistry) -> list[Path]:
    """The files of the cache."""
    return list((live.data / "cache").iterdir())


def pulled(repository: Repository, blob: Pushed, **headers: str) -> bytes:
    """The bytes of an answer."""
    return repository.get(f"blobs/{blob.digest}", headers=headers).raise_for_status().content


def all_of(opened: OpenedBlob) -> tuple[bytes, Callable[[], None] | None]:
    """The bytes of an opened blob, and what discards them."""
    with os.fdopen(opened.descriptor, "rb") as file:
        return file.read(), opened.discard


def test_a_pushed_blob_is_sent_from_here(repository: Repository, store: ToxicStore, blob: Pushed) -> None:
    """The first time, and as it is remembered."""
    assert {pulled(repository, blob) for _ in range(3)} == {LARGE}
    assert store.requests == []


def test_parts_are_sent_from_here(repository: Repository, store: ToxicStore, blob: Pushed) -> None:
    """As files are."""
    assert pulled(repository, blob) == LARGE
    assert pulled(repository, blob, Range="bytes=1000-1009") == LARGE[1000:1010]
    assert store.requests == []


@pytest.mark.parametrize("gone", [False, True])
def test_several_parts_are_sent_from_here(
    live: LiveRegistry, repository: Repository, store: ToxicStore, blob: Pushed, gone: bool
) -> None:
    """Or asked of the store, where the copy has just been changed."""
    if gone:
        (copy,) = copies(live)
        copy.chmod(0o600)
        copy.write_bytes(LARGE[::-1])
    answer = pulled(repository, blob, Range="bytes=5-9,1000000-2999999")
    assert LARGE[5:10] in answer
    assert LARGE[1_000_000:3_000_000] in answer
    assert store.bearing == (["GET", "GET"] if gone else [])


def test_what_is_pulled_is_kept(live: LiveRegistry, repository: Repository, store: ToxicStore, blob: Pushed) -> None:
    """Of what another node was pushed."""
    storage_of(live).cache.forget(blob.digest)
    assert (pulled(repository, blob), store.bearing) == (LARGE, ["GET"])
    assert (pulled(repository, blob), store.bearing) == (LARGE, [])


def test_parts_of_what_is_elsewhere_are_not_kept(live: LiveRegistry, repository: Repository, blob: Pushed) -> None:
    """Nobody knows whether they are right."""
    storage_of(live).cache.forget(blob.digest)
    assert pulled(repository, blob, Range="bytes=5-9") == LARGE[5:10]
    assert copies(live) == []


@pytest.mark.parametrize("toxin", [WRONG, SHORT])
def test_wrong_bytes_are_not_kept(
    live: LiveRegistry, repository: Repository, store: ToxicStore, blob: Pushed, toxin: str
) -> None:
    """Nor anything of them; the right ones are when they come."""
    storage_of(live).cache.forget(blob.digest)
    store.toxin = toxin
    with pytest.raises(httpx.TransportError):
        pulled(repository, blob)
    wait_until(lambda: copies(live) == [])
    store.toxin = WELL
    assert (pulled(repository, blob), len(copies(live))) == (LARGE, 1)


@pytest.mark.parametrize("before", [0, 2])
def test_a_changed_file_is_not_sent(live: LiveRegistry, repository: Repository, blob: Pushed, before: int) -> None:
    """Neither at the first pull nor where the answer is remembered."""
    for _ in range(before):
        pulled(repository, blob)
    (copy,) = copies(live)
    copy.chmod(0o600)
    copy.write_bytes(LARGE[::-1])
    assert pulled(repository, blob) == LARGE


@pytest.mark.parametrize("before", [0, 2])
def test_a_copy_may_go_at_any_time(live: LiveRegistry, repository: Repository, blob: Pushed, before: int) -> None:
    """The store has the bytes."""
    for _ in range(before):
        pulled(repository, blob)
    (copy,) = copies(live)
    copy.unlink()
    assert pulled(repository, blob) == LARGE


def test_a_copy_may_go_just_before_it_is_sent(tmp_path: Path) -> None:
    """Between the look at it and the sending: here it goes while the gate is asked."""
    storage = moto().settings(tmp_path / "keys")
    app = build(open_settings(tmp_path / "data", storage=storage), extension=joining(gate=_Remover(tmp_path / "data")))
    with running(app) as live, live.client() as client:
        repository = Repository(client, "team/app")
        assert pulled(repository, repository.blob(LARGE)) == LARGE


def test_a_copy_that_has_come_back_is_sent_from_memory(tmp_path: Path) -> None:
    """The same request leads to the new file."""
    storage, gate = moto().settings(tmp_path / "keys"), _Counter()
    app = build(open_settings(tmp_path / "data", storage=storage), extension=joining(gate=gate))
    with running(app) as live, live.client() as client:
        repository = Repository(client, "team/app")
        blob = repository.blob(LARGE)
        assert {pulled(repository, blob) for _ in range(3)} == {LARGE}
        storage_of(live).cache.forget(blob.digest)
        assert {pulled(repository, blob) for _ in range(2)} == {LARGE}
        asked = gate.asked
        assert {pulled(repository, blob) for _ in range(3)} == {LARGE}
        assert gate.asked == asked


def test_pulls_go_on_without_the_store(repository: Repository, store: ToxicStore, blob: Pushed) -> None:
    """Of what is here."""
    store.toxin = "away"
    assert pulled(repository, blob) == LARGE


def test_a_start_asks_the_store_again(tmp_path: Path, live: LiveRegistry, blob: Pushed) -> None:
    """Copies of another process are not believed."""
    live.stop()
    storage = live.app.settings.current.storage.model_dump()
    with open_registry(tmp_path / "data", storage=storage) as later, later.client() as client:
        assert copies(later) == []
        assert pulled(Repository(client, "team/app"), blob) == LARGE
        assert len(copies(later)) == 1


def test_what_is_collected_goes_here_too(live: LiveRegistry, repository: Repository, blob: Pushed) -> None:
    """With the object."""
    assert repository.delete(f"blobs/{blob.digest}").status_code == 202
    storage_of(live).delete(blob.digest)
    assert copies(live) == []


def test_damaged_content_is_not_had_from_a_copy(live: LiveRegistry, repository: Repository, blob: Pushed) -> None:
    """What is withheld is withheld."""
    storage = storage_of(live)
    storage.quarantine.set_aside(blob.digest, storage._known.get(blob.digest).stamp, "it is damaged")  # type: ignore[union-attr]  # noqa: SLF001
    assert repository.get(f"blobs/{blob.digest}").status_code == 404


def test_what_keeps_copies_away_is_logged_once(tmp_path: Path, live: LiveRegistry) -> None:
    """It is looked at every two seconds; pushes and pulls go on."""
    live.stop()
    (live.data / "cache").rmdir()
    (live.data / "cache").touch()
    storage = live.app.settings.current.storage.model_dump()
    app = build(open_settings(tmp_path / "data", storage=storage, log={"level": "warning"}))
    with running(app) as later, later.client() as client, capture_logs() as logged:
        app.upkeep.fit_cache()
        repository = Repository(client, "team/app")
        assert pulled(repository, repository.blob(LARGE)) == LARGE
    assert [each for each in logged if each["event"] == "blobs cannot be cached"] == []


def test_the_metric_says_how_much_is_here(repository: Repository, blob: Pushed) -> None:
    """In bytes."""
    lines = repository.client.get("/metrics").text.splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith("basegate_blob_cache_bytes ")]
    assert float(value) == len(blob.raw)


def test_a_client_that_leaves_has_nothing_read_for_it(
    live: LiveRegistry, repository: Repository, store: ToxicStore
) -> None:
    """The store is not read to the end of the blob, and half a copy is not kept."""
    digest = repository.blob(HUGE).digest
    storage_of(live).cache.forget(digest)
    host, port = live.host.split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(f"GET /v2/team/app/blobs/{digest} HTTP/1.1\r\nHost: {live.host}\r\n\r\n".encode())
        client.recv(1000)
    wait_until(lambda: store.cut == 1)
    wait_until(lambda: copies(live) == [])


def test_a_copy_that_is_discarded_is_not_opened_again(live: LiveRegistry, tmp_path: Path, blob: Pushed) -> None:
    """The store's bytes are: for inspection, which reads files."""
    (tmp_path / "rotten").write_bytes(LARGE[::-1])
    storage = storage_of(live)
    storage.cache.forget(blob.digest)
    storage.cache.take(tmp_path / "rotten", blob.digest, len(LARGE))
    found = asyncio.run(storage.stat(blob.digest))
    assert found is not None
    rotten, discard = all_of(found.open())
    assert rotten == LARGE[::-1]
    assert discard is not None
    discard()
    assert all_of(found.open()) == (LARGE, None)


def test_a_slow_client_keeps_nobody_from_a_copy(live: LiveRegistry, repository: Repository, store: ToxicStore) -> None:
    """One that takes nothing for a while: who overtakes it goes on with the copy that it has begun."""
    blob = repository.blob(HUGE)
    storage_of(live).cache.forget(blob.digest)
    host, port = live.host.split(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(f"GET /v2/team/app/blobs/{blob.digest} HTTP/1.1\r\nHost: {live.host}\r\n\r\n".encode())
        slow.recv(1000)
        assert pulled(repository, blob) == HUGE
        store.requests.clear()
        assert (pulled(repository, blob), store.bearing) == (HUGE, [])
