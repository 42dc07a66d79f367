"""What rooms on top cost the registry below them: `python -m tests.bench.ratios`, two basegates in interleaved rounds.

Of each pair one does without, and the other has the room: reads of a repository that an upstream fills against plain
ones, and pushes whose verdict is signed against pushes without.
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from tests.bench.basegate import Basegate
from tests.bench.report import title
from tests.bench.rounds import measure
from tests.bench.workloads import WORKLOADS

UPSTREAM = {"prefix": "bench", "url": "http://127.0.0.1:1", "local_pushes": "win"}
"""Nobody is there: what is measured is what a pull asks before it finds that all is here."""
OFF = {"BASEGATE_ATTEST__REFERRER": "off", "BASEGATE_ATTEST__TAG": "off"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers, and the workloads that tell them apart."""

    without: Basegate
    having: Basegate
    workloads: tuple[str, ...]


PAIRS = (
    Pair(
        Basegate("plain"),
        Basegate("mirror", environment={"BASEGATE_UPSTREAMS": json.dumps([UPSTREAM])}),
        ("manifest GET x16", "manifest HEAD x16", "blob HEAD x16", "pull 64 MiB x8"),
    ),
    Pair(Basegate("unsigned", environment=OFF), Basegate("signed"), ("manifest PUT x16", "push 1 KiB x16")),
)


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Interleaved rounds of each workload.")
@click.option("--small", is_flag=True, help="A fraction of a second of each: does it run?")
def main(rounds: int, small: bool) -> None:
    """Print how fast the second of each pair is, and its processor time, as parts of the first's."""
    click.echo("| workload | servers | rate | processor time |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="basegate-ratios-") as place:
        for pair in PAIRS:
            first, second = pair.without.name, pair.having.name
            for workload in (one for one in WORKLOADS if title(one) in pair.workloads):
                taken = workload.small() if small else workload
                row = measure(taken, [pair.without, pair.having], rounds, Path(place))
                rate, cpu = row.ratio(second, first), row.ratio(second, first, "cpu")
                click.echo(f"| {title(workload)} | {second} / {first} | {rate:.2f} | {cpu:.2f} |")


if __name__ == "__main__":
    main()
