"""Two working trees in turns: what each row costs the server of either, in processor time.

Rates depend on what else the machine does; processor time of an operation does so far less, and its least over the
rounds is what the work itself takes.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.basegate import Basegate
from tests.bench.report import title
from tests.bench.rounds import Row, measure
from tests.bench.workloads import WORKLOADS, Workload

MORE = 1.05
"""A row that costs more than this times what it cost before is named."""

HEAD = ("workload", "CPU for", "before", "now", "ratio of the least", "median ratio")


def in_turns(before: Path, only: Sequence[str], rounds: int, place: Path, *, small: bool = False) -> Iterator[Row]:
    """Each row whose name contains one of `only` (all of them where it is empty), measured in turns.

    Args:
        before: a working tree with its own `.venv`.
        only: parts of names.
        rounds: of each row, times its turns.
        place: where the servers store.
        small: whether a fraction of a second of each is enough.
    """
    trees = [Basegate("before", tree=before.resolve()), Basegate("now")]
    for workload in wanted(only):
        yield measure(workload.small() if small else workload, trees, rounds, place)


def wanted(only: Sequence[str]) -> list[Workload]:
    """The rows of basegate itself whose names contain one of these parts; all where there is none."""
    own = (one for one in WORKLOADS if not one.servers)
    return [one for one in own if not only or any(part in title(one) for part in only)]


def head() -> str:
    """The table's first two lines."""
    return f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}"


def line(row: Row) -> str:
    """One row of the table: the least of either tree, their ratio, and the median of the rounds' ratios."""
    cells = [title(row.workload), _amount(row.workload)]
    cells += [f"{least(row, name) * scale(row.workload):.3g}" for name in ("before", "now")]
    cells += [f"{ratio(row):.2f}", f"{row.ratio('now', 'before', 'cpu'):.2f}"]
    return f"| {' | '.join(cells)} |"


def scale(workload: Workload) -> float:
    """Microseconds of an operation, or milliseconds of a MiB, of what a sample's `cpu` counts."""
    return 1000.0 if workload.unit == "op/s" else 1000 / 1024


def _amount(workload: Workload) -> str:
    return "an operation, µs" if workload.unit == "op/s" else "a MiB, ms"


def least(row: Row, name: str) -> float:
    """The least of a tree's rounds."""
    return min(sample.cpu for sample in row.samples[name])


def ratio(row: Row) -> float:
    """What it costs now as a multiple of what it cost before."""
    return least(row, "now") / max(least(row, "before"), 1e-9)


def dearer(rows: Sequence[Row]) -> str:
    """The rows that cost more than `MORE` times what they cost before."""
    found = [f"{title(row.workload)} ({ratio(row):.2f})" for row in rows if ratio(row) > MORE]
    return f"{len(rows) - len(found)} of {len(rows)} rows within {MORE:g}." + (
        f" Above: {', '.join(found)}." if found else ""
    )
