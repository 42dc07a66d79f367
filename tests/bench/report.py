"""The table a person reads."""

from collections.abc import Iterator, Sequence

from tests.bench.results import Fingerprint, Result
from tests.bench.rounds import Row
from tests.bench.workloads import Workload

REFERENCE = "distribution"


def markdown(result: Result) -> str:
    """The whole result as Markdown."""
    return "\n".join([*_about(result.fingerprint), "", *_table(result.rows), ""])


def changes(old: Result, new: Result, server: str = "basegate") -> str:
    """How one server's rates moved between two comparable results."""
    lines = ["| workload | before | now | ratio |", "|---|---|---|---|"]
    for before, after in zip(old.rows, new.rows, strict=True):
        was, now = before.median(server, "rate"), after.median(server, "rate")
        lines.append(f"| {title(after.workload)} | {was:,.0f} | {now:,.0f} | {now / was:.2f} |")
    return "\n".join(lines)


def title(workload: Workload) -> str:
    """The row's name with its number of clients."""
    return f"{workload.name} x{workload.clients}"


def line(row: Row, servers: Sequence[str]) -> str:
    """One row: rates, ratio to the reference, goal, CPU, memory, tails."""
    rates = [f"{row.median(name, 'rate'):,.0f}" if name in row.samples else "-" for name in servers]
    cells = [title(row.workload), row.workload.unit, *rates, *_against(row)]
    for field, scale in (("cpu", 1), ("peak", 1 << 20), ("p50", 1e-3), ("p99", 1e-3)):
        cells.append(" / ".join(_short(row.median(name, field) / scale) for name in servers if name in row.samples))
    return f"| {' | '.join(cells)} |"


def _against(row: Row) -> tuple[str, str]:
    if not {"basegate", REFERENCE} <= row.samples.keys():
        return "", ""
    ratio, goal = row.ratio("basegate", REFERENCE), row.workload.goal
    if not goal:
        return f"{ratio:.2f}", ""
    return f"**{ratio:.2f}**", f">= {goal:g}, {'met' if ratio >= goal else 'missed'}"


def _table(rows: Sequence[Row]) -> Iterator[str]:
    if not rows:
        return
    servers = list(dict.fromkeys(name for row in rows for name in row.samples))
    both = " / ".join(servers)
    yield f"Slashed cells: {both}. CPU is in seconds per GiB (per 1,000 operations where the unit is op/s)."
    yield ""
    head = ["workload", "unit", *servers, "ratio", "goal", "CPU s", "peak MiB", "p50 ms", "p99 ms"]
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield line(row, servers)


def _about(found: Fingerprint) -> Iterator[str]:
    for name, facts in (("Machine", found.machine), ("Versions", found.versions), ("Settings", found.settings)):
        yield f"- {name}: " + ", ".join(f"{key} {value}" for key, value in facts.items())
    yield f"- Data set: {found.data}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
