"""A tag of two nodes is one register: who reads it after a push was acknowledged sees that push, or a later one."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest

from registry.database.postgres import Database
from tests.policy.register_history import Operation, contradictions, timed
from tests.policy.two_nodes import Nodes, two_nodes
from tests.postgres import PostgresServer
from tests.repository import Repository

WRITERS, WRITES = 64, 3
_HEARING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ~ '^(LISTEN|SELECT 1$)'"


@pytest.fixture(scope="module")
def nodes(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """For all tests of this file."""
    with two_nodes(postgres, tmp_path_factory.mktemp("nodes")) as both:
        yield both


@contextmanager
def deaf(nodes: Nodes) -> Iterator[None]:
    """Within the block no node hears of what another commits: the processes that would tell it stand still."""
    with Database(nodes.first.registry.app.settings.current.metadata.url).connect() as connection:
        telling = [process for (process,) in connection.execute(_HEARING)]
    assert telling
    for process in telling:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in telling:
            os.kill(process, signal.SIGCONT)


def tagged(client: httpx.Client, name: str) -> str:
    """What tag v1 of a repository points at; "" for nothing."""
    return str(client.head(f"/v2/{name}/manifests/v1").headers.get("docker-content-digest", ""))


def test_what_was_acknowledged_is_seen_before_it_is_told(nodes: Nodes) -> None:
    """Asked three times before, so that an answer is remembered where one may be."""
    with nodes.first.client("admin") as here, nodes.second.client("admin") as there:
        Repository(here, "told/app").image("v1")
        assert len({tagged(there, "told/app") for _ in range(3)}) == 1
        assert [Repository(there, "told/app").get("tags/list").json()["tags"] for _ in range(3)] == [["v1"]] * 3
        with deaf(nodes):
            moved = Repository(here, "told/app").image("v1", annotations={"moved": "1"})
            Repository(here, "told/app").image("v2")
            assert tagged(there, "told/app") == moved.digest
            assert Repository(there, "told/app").get("tags/list").json()["tags"] == ["v1", "v2"]


def write_and_read(nodes: Nodes, name: str, image: dict[str, Any], writer: int) -> list[Operation]:
    """Writes at the nodes in turn, each read at the other."""
    done: list[Operation] = []
    with nodes.first.client("admin") as first, nodes.second.client("admin") as second:
        clients = (first, second) if writer % 2 else (second, first)
        for number in range(WRITES):
            here, there = clients[number % 2], clients[1 - number % 2]
            document = {**image, "annotations": {"writer": f"{writer} {number}"}}
            done.append(timed(partial(put, here, name, document), is_write=True))
            done.append(timed(partial(tagged, there, name)))
    return done


def put(client: httpx.Client, name: str, document: dict[str, Any]) -> str:
    """Push a manifest under the tag; its digest."""
    answer = Repository(client, name).put("v1", document)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["docker-content-digest"])


def order_of(client: httpx.Client, name: str) -> list[str]:
    """What the tag pointed at, the oldest first, as the events of the database have it."""
    order: list[str] = []
    url = f"/v2/{name}/_oci/tag-history/v1?n=100"
    while url:
        answer = client.get(url)
        order.extend(each["digest"] for each in answer.json()["manifests"])
        url = answer.links.get("next", {}).get("url", "")
    return order[::-1]


def test_the_tag_of_many_writers_is_one_register(nodes: Nodes) -> None:
    """64 of them on two nodes, each reading at one what it wrote at the other."""
    with nodes.first.client("admin") as client:
        image = Repository(client, "many/app").image_document()
        with ThreadPoolExecutor(WRITERS) as pool:
            histories = list(pool.map(partial(write_and_read, nodes, "many/app", image), range(WRITERS)))
        operations = [each for history in histories for each in history]
        order = order_of(client, "many/app")
    assert sorted(order) == sorted(each.value for each in operations if each.is_write)
    assert len(order) == WRITERS * WRITES
    assert contradictions(operations, order) == []


@pytest.mark.parametrize(
    ("old", "order"),
    [
        (Operation("a", 5, 6), "ab"),  # a read that began after a later write had ended
        (Operation("", 2, 3), "ab"),  # nothing, after something was written
        (Operation("c", 5, 6, is_write=True), "acb"),  # a write that counts before what ended before it
    ],
)
def test_what_no_order_explains_is_found(old: Operation, order: str) -> None:
    """The history itself is explained."""
    history = [Operation("a", 0, 1, is_write=True), Operation("b", 3, 4, is_write=True), Operation("b", 3.5, 7)]
    assert contradictions(history, order) == []
    assert contradictions([*history, old], order) == [old]
