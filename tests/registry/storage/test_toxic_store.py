"""A store that is away, slow, or lies: 503 that says when to come again, never a wrong byte, never an empty promise."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from registry.oci.digest import Digest
from tests.registry.storage.object_servers import moto
from tests.registry.storage.toxic_store import AWAY, ERROR, LOST, SHORT, SLOW, WELL, WRONG, ToxicStore, toxic
from tests.repository import Repository
from tests.servers import LiveRegistry, open_registry

SMALL, LARGE = b"small" * 100, bytes(range(256)) * 30_000
PARTS = bytes(range(256)) * 45_000
DEAD = [AWAY, ERROR, SLOW]
WRONG_SMALL = [(SMALL, WRONG), (SMALL, SHORT)]


@pytest.fixture
def store() -> Iterator[ToxicStore]:
    """A proxy before moto."""
    with toxic(moto().endpoint) as store:
        yield store


@pytest.fixture
def live(tmp_path: Path, store: ToxicStore) -> Iterator[LiveRegistry]:
    """A registry that asks the proxy each time, and is impatient."""
    settings = moto().settings(
        tmp_path / "keys", endpoint=store.endpoint, timeout_seconds=5, part_bytes=5 << 20, blob_cache_bytes=0
    )
    with open_registry(tmp_path / "data", storage=settings) as live:
        yield live


@pytest.fixture
def repository(live: LiveRegistry) -> Iterator[Repository]:
    """One of its repositories."""
    with live.client() as client:
        yield Repository(client, "team/app")


def push(repository: Repository, content: bytes) -> httpx.Response:
    """Upload a blob, whatever the answer is."""
    where = repository.open_upload()
    return repository.client.put(where, params={"digest": Digest.of(content)}, content=content)


@pytest.mark.parametrize("toxin", [*DEAD, LOST])
@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_a_push_is_not_acknowledged(
    store: ToxicStore, repository: Repository, live: LiveRegistry, content: bytes, toxin: str
) -> None:
    """It is refused, nothing is shown, and the same push succeeds when the store is well."""
    store.toxin = toxin
    refused = push(repository, content)
    assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
    assert repository.head(f"blobs/{Digest.of(content)}").status_code == 404
    store.toxin = WELL
    assert push(repository, content).status_code == 201
    assert repository.get(f"blobs/{Digest.of(content)}").content == content


@pytest.mark.parametrize(
    ("content", "toxin"),
    [*((content, toxin) for content in (SMALL, LARGE) for toxin in DEAD), *WRONG_SMALL],
    ids=[*(f"{size} {toxin}" for size in ("small", "large") for toxin in DEAD), "small wrong", "small short"],
)
def test_a_pull_says_when_to_come_again(store: ToxicStore, repository: Repository, content: bytes, toxin: str) -> None:
    """And succeeds when the store is well.

    Wrong bytes of a small blob do not leave; the store says itself that its object has others, so nothing is withheld.
    """
    blob = repository.blob(content)
    store.toxin = toxin
    answer = repository.get(f"blobs/{blob.digest}")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5")
    store.toxin = WELL
    assert repository.get(f"blobs/{blob.digest}").content == content


@pytest.mark.parametrize("toxin", [WRONG, SHORT])
def test_wrong_bytes_of_a_large_blob_do_not_pass_for_it(store: ToxicStore, repository: Repository, toxin: str) -> None:
    """The answer breaks off before its end."""
    blob = repository.blob(LARGE)
    store.toxin = toxin
    with pytest.raises(httpx.TransportError):
        repository.get(f"blobs/{blob.digest}")
    store.toxin = WELL
    assert repository.get(f"blobs/{blob.digest}").content == LARGE


@pytest.mark.parametrize("toxin", DEAD)
def test_rows_go_on_without_the_store(store: ToxicStore, repository: Repository, toxin: str) -> None:
    """Manifests and tags are in the database."""
    repository.image("v1", repository.blob(SMALL))
    store.toxin = toxin
    assert repository.get("manifests/v1").status_code == 200
    assert repository.get("tags/list").json()["tags"] == ["v1"]


@pytest.mark.parametrize(
    ("content", "push_costs", "pull_costs"),
    [
        (SMALL, ["PUT", "HEAD"], ["GET"]),
        (LARGE[: 4 << 20], ["PUT", "HEAD"], ["GET"]),
        (PARTS, ["POST", "PUT", "PUT", "PUT", "POST", "HEAD"], ["GET"]),
    ],
    ids=["small", "one part", "parts"],
)
def test_what_a_blob_costs(
    store: ToxicStore, repository: Repository, content: bytes, push_costs: list[str], pull_costs: list[str]
) -> None:
    """A push in one part is two requests, a larger one three more than its parts; a pull is one."""
    store.requests.clear()
    blob = repository.blob(content)
    assert store.bearing == push_costs
    assert repository.get(f"blobs/{blob.digest}").content == content
    assert store.bearing == pull_costs


def test_a_manifest_costs_nothing(store: ToxicStore, repository: Repository) -> None:
    """Only its configuration is stored: what was just pushed is not asked for again."""
    layers = [repository.blob(LARGE[:size]) for size in (100_000, 200_000)]
    store.requests.clear()
    repository.image("v1", *layers)
    assert store.bearing == ["PUT", "HEAD"]
