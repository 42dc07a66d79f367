"""The bench of several nodes runs, and what it measures is there."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bench import cluster, nodes
from tests.bench.report import title
from tests.bench.workloads import WORKLOADS
from tests.postgres import PostgresServer

PULL = next(each for each in WORKLOADS if title(each) == "manifest GET x16")


def test_clients_ask_two_nodes(postgres: PostgresServer, tmp_path: Path) -> None:
    """Each of them answers, with the keys of the first: anything else would end the load."""
    with ExitStack() as stack:
        assert nodes.spent(nodes.two_nodes(stack, postgres, tmp_path), PULL.small(), "both") > 0


@pytest.mark.parametrize("names", [nodes.OPERATIONS, cluster.OPERATIONS, cluster.PULLS, cluster.FLAT])
def test_every_operation_is_a_workload(names: tuple[str, ...]) -> None:
    """One that has another name by now would be left out, and nobody told."""
    assert set(names) <= {title(each) for each in WORKLOADS}
