"""Two nodes over one database: each layer is inspected once, and what one finds the other follows."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from policy.assessment.reinspect import forget_image
from policy.definition.policy import known_policies
from policy.enforcement.activation import activate, deactivate
from policy.enforcement.operator_file import OperatorFile
from policy.enforcement.operator_rows import OperatorRows
from policy.results.postgres_store import PostgresResults
from policy.state import State
from registry.database.postgres import Database
from registry.oci.digest import Digest
from tests.policy.images_made import MadeImage, base, image, layer, miniconda
from tests.policy.lab import READER, TEAM, V1, Lab, open_lab
from tests.postgres import PostgresServer
from tests.waiting import PATIENCE, wait_until

GOOD = image(layer(base()), layer(miniconda()))
BAD = image(layer(base("18.04")), layer(miniconda("4.8.3", "3.7.1")))
LENIENT = known_policies()["azureml-2021-08"]


class Nodes(NamedTuple):
    """Two of them."""

    first: Lab
    second: Lab

    @property
    def opened(self) -> int:
        """How many layers both have inspected."""
        return sum(each.gate.inspector.workers.counters.layers_opened for each in self)


def open_judging(database: Database) -> tuple[PostgresResults, OperatorRows]:
    """Results and standing orders in a database."""
    results = PostgresResults(database, silence_seconds=PATIENCE)
    return results, OperatorRows(results, OperatorFile())


@pytest.fixture
def nodes(postgres: PostgresServer, tmp_path: Path) -> Iterator[Nodes]:
    """Over one database and one folder of blobs."""
    rows, found = postgres.opener(), postgres.new_database()
    with ExitStack() as opened:
        labs = [
            opened.enter_context(
                open_lab(
                    tmp_path / "data",
                    registry={"rows": rows},
                    judging=partial(open_judging, found),
                )
            )
            for _ in range(2)
        ]
        yield Nodes(*labs)


def push_blobs(lab: Lab, *contents: bytes) -> None:
    """Upload blobs alone."""
    for content in contents:
        lab.run(lab.push_blob(content))


def test_what_one_node_found_the_other_knows(nodes: Nodes) -> None:
    """It opens no layer for it."""
    nodes.first.pushed(GOOD)
    assert nodes.second.verdict(GOOD.digest).state is State.CLEARED
    assert nodes.second.gate.inspector.workers.counters.layers_opened == 0


def test_a_layer_that_both_need_is_inspected_once(nodes: Nodes) -> None:
    """Both are asked for the same image at once."""
    push_blobs(nodes.first, *GOOD.blobs, *BAD.blobs)

    def push(lab: Lab) -> int:
        return len([lab.run(lab.push_manifest(made.manifest, V1)) for made in (GOOD, BAD)])

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(push, nodes)) == [2, 2]
    assert nodes.opened == len({*GOOD.layers, *BAD.layers})


def test_a_layer_is_inspected_where_it_arrives(nodes: Nodes) -> None:
    """The manifest comes to the other node, which waits for what was found."""
    made = image(layer(base() | miniconda() | {"opt/noise": os.urandom(1 << 20)}))
    push_blobs(nodes.first, *made.blobs)
    nodes.first.results.settle()
    nodes.second.run(nodes.second.push_manifest(made.manifest))
    assert nodes.second.verdict(made.digest).state is State.CLEARED
    assert nodes.first.gate.inspector.workers.counters.layers_opened == nodes.opened == 1


def test_a_node_waits_for_the_one_that_has_the_turn(nodes: Nodes) -> None:
    """And goes on by itself when that one gives it back without a result."""
    push_blobs(nodes.first, *GOOD.blobs)
    turns = nodes.first.gate.inspector.turns
    for each in GOOD.layers:
        assert nodes.first.run(turns.take(str(Digest.of(each))))
    pushing = threading.Thread(target=lambda: nodes.second.run(nodes.second.push_manifest(GOOD.manifest)))
    pushing.start()
    wait_until(lambda: nodes.second.gate.inspector.is_looking(GOOD.digest))
    assert nodes.opened == 0
    for each in GOOD.layers:
        turns.done(str(Digest.of(each)))
    pushing.join()
    assert nodes.second.verdict(GOOD.digest).state is State.CLEARED


def test_a_new_inspection_that_one_node_asks_for_is_the_others(nodes: Nodes) -> None:
    """What it remembers does not count: the layers are opened again."""
    nodes.first.pushed(GOOD)
    assert nodes.second.verdict(GOOD.digest).state is State.CLEARED
    first = nodes.first
    first.run(forget_image(first.storage, first.metadata, first.results, TEAM, GOOD.digest))
    wait_until(lambda: nodes.second.gate.inspector.recorded(GOOD.digest) is None or _looks(nodes.second))
    assert nodes.second.verdict(GOOD.digest).state is State.CLEARED
    assert nodes.opened == 2 * len(GOOD.layers)


def _looks(lab: Lab) -> bool:
    """Have it notice, as with each request."""
    lab.gate.generation()
    return False


def allowed(lab: Lab, made: MadeImage) -> bool:
    """Whether the reader may pull it."""
    return lab.run(lab.gate.before_manifest_pull(READER, TEAM, made.digest, V1)).allowed


def test_a_policy_that_one_node_activates_counts_on_both(nodes: Nodes) -> None:
    """As does that it is not in force any more; no layer is opened for it."""
    nodes.first.pushed(BAD)
    assert not any(allowed(each, BAD) for each in nodes)
    first = nodes.first.gate
    activate(first.orders, first.results, LENIENT, "*", time.time())
    assert allowed(nodes.first, BAD)
    wait_until(lambda: allowed(nodes.second, BAD))
    deactivate(first.orders, first.results, first.settings, "*")
    assert not allowed(nodes.first, BAD)
    wait_until(lambda: not allowed(nodes.second, BAD))
    assert nodes.opened == len(BAD.layers)


def test_a_refused_image_is_refused_on_both(nodes: Nodes) -> None:
    """Whichever was asked first."""
    nodes.first.pushed(BAD)
    for lab in nodes:
        decision = lab.run(lab.gate.before_manifest_pull(READER, TEAM, BAD.digest, V1))
        assert not decision.allowed
        assert "3.7.1" in decision.message
