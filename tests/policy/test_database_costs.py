"""What a request costs of PostgreSQL: round trips and commits, counted on the wire."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest

from registry.oci.digest import Digest
from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image
from tests.database_wire import DatabaseWire, database_wire
from tests.policy.live import LiveGateway, live_gateway
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import moto
from tests.repository import Repository

_TIMES = 12
"""Statements are prepared when they come for the sixth time. Of so many requests the cheapest counts: what the server
does in the background meanwhile comes on top of some.
"""


@dataclass(frozen=True, slots=True, order=True)
class Costs:
    """Of rows and of results, together."""

    round_trips: int
    commits_of_rows: int


@dataclass(frozen=True, slots=True)
class Metered:
    """A server whose database is behind the proxy."""

    live: LiveGateway
    wire: DatabaseWire

    def costs(self, request: Callable[[], httpx.Response]) -> Costs:
        """Of one request, after everything before it is settled."""
        self.live.settle()
        before, commits = self._waits(), self._commits()
        request().raise_for_status()
        return Costs(self._waits() - before, self._commits() - commits)

    def _waits(self) -> int:
        return sum(each.waits for kind in (True, False) for each in self.wire.of(results=kind))

    def _commits(self) -> int:
        return sum(each.statements.count("COMMIT") for each in self.wire.of(results=False))


@pytest.fixture(scope="module")
def metered(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metered]:
    """For all tests of this file."""
    folder = tmp_path_factory.mktemp("costs")
    with tempfile.TemporaryDirectory(dir="/tmp") as place, database_wire(Path(place), postgres.folder) as wire:
        url = postgres.new_database().url.replace(str(postgres.folder), place)
        metadata = postgres.settings(url=url)
        with live_gateway(folder / "data", storage=moto().settings(folder / "keys"), metadata=metadata) as live:
            yield Metered(live, wire)


@pytest.fixture
def repository(metered: Metered) -> Iterator[Repository]:
    """Of the owner."""
    with metered.live.client("admin") as client:
        yield Repository(client, "team/app")


def test_the_push_of_an_artifact_is_six_round_trips_and_a_commit(metered: Metered, repository: Repository) -> None:
    """Under a new tag, and under one that moves."""
    costs: dict[bool, list[Costs]] = {True: [], False: []}
    for number in range(_TIMES):
        document = repository.image_document(repository.blob(b"%d" % number), annotations={"n": str(number)})
        new = number % 2 == 0
        tag = f"v{number}" if new else "moves"
        costs[new].append(metered.costs(partial(repository.put, tag, document)))
    assert [min(each) for each in costs.values()] == [Costs(6, 1)] * 2


def test_the_push_of_an_image_is_six_round_trips_and_a_commit(
    metered: Metered, repository: Repository, tmp_path: Path
) -> None:
    """Whose layers were inspected as they arrived; what is attested of it is recorded in the same commit."""
    layout = Layout(tmp_path)
    digest = layout.add("v1", cleared_image())
    blobs = {f"sha256:{file.name}": file.read_bytes() for file in layout.blobs.iterdir()}
    manifest = blobs.pop(digest)
    costs = []
    for number in range(_TIMES):
        each = Repository(repository.client, f"team/image{number}")
        for content in blobs.values():
            each.blob(content)
        costs.append(metered.costs(partial(each.put, "v1", manifest)))
    assert min(costs) == Costs(6, 1)


def _upload(repository: Repository, content: bytes) -> httpx.Response:
    where = httpx.URL(repository.open_upload()).copy_merge_params({"digest": Digest.of(content)})
    return repository.client.put(where, content=content)


def test_an_upload_of_two_requests_is_four_round_trips_and_a_commit(metered: Metered, repository: Repository) -> None:
    """A question of each of them, and then the blob, with what has become of the upload."""
    costs = []
    for number in range(_TIMES):
        content = b"%d" % number * 1000
        costs.append(metered.costs(partial(_upload, repository, content)))
    assert min(costs) == Costs(4, 1)


def test_a_pull_by_tag_is_one_round_trip(metered: Metered, repository: Repository) -> None:
    """What the tag stands for, and whether anything is locked there; no transaction."""
    repository.image("pulled")
    costs = [metered.costs(partial(repository.get, "manifests/pulled")) for _ in range(_TIMES)]
    assert min(costs) == Costs(1, 0)
