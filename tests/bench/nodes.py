"""Whether nodes are in each other's way: `python -m tests.bench.nodes`, processor time of a request at two nodes.

So many clients ask each of two nodes at once, which are one registry, over PostgreSQL and S3 (moto); and then nodes of
two registries, which have nothing in common but the machine, in interleaved rounds. 1.11 or less means that two nodes
with processors of their own serve 1.8 times as much as one, as far as database and store keep up.
"""

import json
import os
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

import click

from tests.bench.basegate import Basegate
from tests.bench.cluster import FLAT, PATIENCE, Joined
from tests.bench.generator import Load
from tests.bench.measures import cpu_at_rest, cpu_seconds
from tests.bench.report import title
from tests.bench.rounds import generator, hear, job_of, tell
from tests.bench.servers import Running
from tests.bench.workloads import WORKLOADS, Workload
from tests.postgres import PostgresServer, postgres_server

OPERATIONS = (*FLAT, "push 4 MiB x64", "zb push 1 MB x8", "pull 10 MiB x64")


def stranger(stack: ExitStack, postgres: PostgresServer, folder: Path) -> Running:
    """The node of another registry, until the stack is closed."""
    (folder / "stranger").mkdir(parents=True)
    other = Joined("stranger", postgres=postgres, patience=PATIENCE).start(folder / "stranger", "token")
    stack.callback(other.stop)
    return other


def two_nodes(stack: ExitStack, postgres: PostgresServer, folder: Path) -> list[Running]:
    """Nodes of one registry, until the stack is closed."""
    server = Joined("first", postgres=postgres, patience=PATIENCE)
    server = replace(server, environment=server.settings_of(folder, postgres.new_database()))
    (folder / "first").mkdir(parents=True)
    first = Basegate.start(server, folder / "first", "token")
    stack.callback(first.stop)
    data = folder / "second" / "data"
    data.mkdir(parents=True, mode=0o700)
    shutil.copytree(folder / "first" / "data" / "keys", data / "keys")
    second = server.boot(folder / "second", "token")
    stack.callback(second.stop)
    second.target = replace(first.target, port=second.target.port)
    return [first, second]


def spent(nodes: Sequence[Running], workload: Workload, unique: str) -> float:
    """Processor seconds of one operation, while the clients of the workload ask each of the nodes."""
    with ExitStack() as stack:
        loads = [stack.enter_context(generator()) for _ in nodes]
        for number, (load, node) in enumerate(zip(loads, nodes, strict=True)):
            tell(load, json.dumps(asdict(job_of(workload, node, f"{unique} {number}"))))
        for load in loads:
            hear(load)
        before = sum(cpu_seconds(node.process.pid) for node in nodes)
        for load in loads:
            tell(load, "go")
        done = sum(len(Load(**json.loads(hear(load))).spent) for load in loads)
        return (sum(cpu_at_rest(node.process.pid) for node in nodes) - before) / done


@click.command()
@click.option("--rounds", default=5, show_default=True, help="Interleaved rounds of each workload.")
@click.option("--small", is_flag=True, help="A fraction of a second of each: does it run?")
@click.option("--only", default="", help="Workloads whose name contains this.")
def main(rounds: int, small: bool, only: str) -> None:
    """Print what a request costs at two nodes of one registry, as a part of what it costs at those of two."""
    click.echo("| workload | of one registry / of two |\n|---|---|")
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="basegate-nodes-")))
        postgres = stack.enter_context(postgres_server())
        nodes, other = two_nodes(stack, postgres, place), stranger(stack, postgres, place)
        for workload in (each for each in WORKLOADS if title(each) in OPERATIONS and only in title(each)):
            tried = workload.small() if small else workload
            ratios = []
            for number in range(rounds):
                unique = f"{os.getpid()} {title(workload)} {number}"
                apart = spent([nodes[number % 2], other], tried, f"{unique} apart")
                ratios.append(spent(nodes, tried, f"{unique} both") / apart)
            click.echo(f"| {title(workload)} | {statistics.median(ratios):.2f} |")


if __name__ == "__main__":
    main()
