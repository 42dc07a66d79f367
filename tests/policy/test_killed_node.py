"""A node that is killed in the middle of pushes: what it has acknowledged, the other serves."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.installation import Installation
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import moto
from tests.repository import Repository
from tests.server_process import Serving
from tests.waiting import wait_until

NODES = ("first", "second")


@pytest.fixture
def nodes(postgres: PostgresServer, tmp_path: Path) -> Iterator[tuple[Serving, Serving]]:
    """Two servers in processes of their own."""
    storage = moto().settings(tmp_path / "keys")
    variables = {f"BASEGATE_STORAGE__{name.upper()}": str(value) for name, value in storage.items()}
    variables |= {"BASEGATE_AUTH__REQUIRED": "false", **postgres.variables()}
    first, second = (Installation(tmp_path / name / "data", variables) for name in NODES)
    with first.serving() as one, second.serving() as other:
        yield one, other


def client_of(node: Serving) -> httpx.Client:
    """A client of one node."""
    return httpx.Client(base_url=f"http://{node.host}", timeout=60)


def push_until_killed(node: Serving, name: str, acknowledged: list[tuple[str, bytes]]) -> None:
    """Push images, and note the path and the content of what was answered with 201."""
    with client_of(node) as client:
        repository = Repository(client, name)
        for number in range(10_000):
            try:
                layer = repository.blob(f"{name} {number}".encode() * 100)
                pushed = repository.image(f"v{number}", layer)
            except (httpx.HTTPError, AssertionError):
                return
            acknowledged.append((repository.url(f"blobs/{layer.digest}"), layer.raw))
            acknowledged.append((repository.url(f"manifests/v{number}"), pushed.raw))


def test_nothing_that_was_acknowledged_is_lost(nodes: tuple[Serving, Serving]) -> None:
    """Four writers, killed when each has pushed something; the other node takes the next push."""
    killed, other = nodes
    acknowledged: list[tuple[str, bytes]] = []
    names = [f"team/app{number}" for number in range(4)]
    writers = [threading.Thread(target=push_until_killed, args=(killed, name, acknowledged)) for name in names]
    for writer in writers:
        writer.start()
    wait_until(lambda: all(any(path.startswith(f"/v2/{name}/") for path, _ in acknowledged) for name in names))
    killed.process.kill()
    for writer in writers:
        writer.join()
    with client_of(other) as client:
        assert [path for path, content in acknowledged if client.get(path).content != content] == []
        Repository(client, "team/app0").image("after")
