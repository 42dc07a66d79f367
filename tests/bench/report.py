"""The tables a person reads, and which goals they meet."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from tests.bench.figures import Figure
from tests.bench.results import Fingerprint, Result
from tests.bench.rounds import Row
from tests.bench.workloads import ALONE, REFERENCE, Workload

OURS = "basegate"
WAITS_GOAL = 20.0
"""Milliseconds that 99 of 100 manifest GETs should stay below while layers are pushed and looked into."""

_HEADINGS = {
    REFERENCE: "Beside other registries",
    ALONE: "Beside the registry without its policy: what inspection and gate cost",
}


def markdown(result: Result) -> str:
    """The whole result as Markdown."""
    lines = list(_about(result.fingerprint))
    for against, rows in groupby(result.rows, key=lambda row: row.workload.against):
        lines += ["", f"### {_HEADINGS[against]}", "", *_table(list(rows))]
    if result.figures:
        lines += ["", "### Single figures", *_figures(result.figures)]
    return "\n".join([*lines, "", "### Goals", "", *goals(result), ""])


def changes(old: Result, new: Result, server: str = OURS) -> str:
    """How one server's rates and figures moved between two comparable results."""
    lines = ["| measure | before | now | ratio |", "|---|---|---|---|"]
    for before, after in zip(old.rows, new.rows, strict=True):
        was, now = before.median(server, "rate"), after.median(server, "rate")
        lines.append(f"| {title(after.workload)} | {was:,.0f} | {now:,.0f} | {now / was:.2f} |")
    was_by_name = {(figure.title, figure.server): figure.value for figure in old.figures}
    for figure in new.figures:
        before_value = was_by_name.get((figure.title, figure.server))
        if figure.server == server and before_value:
            cells = (_short(before_value), _short(figure.value), f"{figure.value / before_value:.2f}")
            lines.append(f"| {figure.title}, {figure.unit} | {' | '.join(cells)} |")
    return "\n".join(lines)


def title(workload: Workload) -> str:
    """The row's name with its number of clients."""
    return f"{workload.name} x{workload.clients}"


def line(row: Row, servers: Sequence[str]) -> str:
    """One row: rates, ratio, goal, CPU, memory, tails."""
    rates = [f"{row.median(name, 'rate'):,.0f}" if name in row.samples else "-" for name in servers]
    cells = [title(row.workload), row.workload.unit, *rates, *_ratio(row)]
    for field, scale in (("cpu", 1), ("peak", 1 << 20), ("p50", 1e-3), ("p99", 1e-3)):
        cells.append(_slashed(row, servers, field, scale))
    if row.workload.meanwhile:
        cells.append(_slashed(row, servers, "waits", 1e-3))
    return f"| {' | '.join(cells)} |"


def goals(result: Result) -> Iterator[str]:
    """Which goals are met, which are missed, and where our server costs more processor time than the other."""
    found = [goal for row in result.rows for goal in _goals_of(row)]
    found += [
        (f"{one.title}: {_short(one.value)} {one.unit}, goal < {one.limit:g}", one.value < one.limit)
        for one in result.figures
        if one.limit
    ]
    missed = [text for text, met in found if not met]
    yield f"- {len(found) - len(missed)} of {len(found)} goals are met."
    yield from (f"- Missed: {text}" for text in missed)
    for row in result.rows:
        cost = _costs(row)
        if cost is not None and cost >= 1:
            yield f"- Processor time not below that of {row.workload.against}: {title(row.workload)}, {cost:.2f} times."


def _goals_of(row: Row) -> Iterator[tuple[str, bool]]:
    workload, name = row.workload, title(row.workload)
    if OURS not in row.samples:
        return
    if workload.goal and workload.against in row.samples:
        ratio = row.ratio(OURS, workload.against)
        yield f"{name}: {ratio:.2f} times {workload.against}, goal >= {workload.goal:g}", ratio >= workload.goal
    if workload.peak_goal:
        peak = row.median(OURS, "peak") / (1 << 20)
        yield f"{name}: peak {peak:.0f} MiB, goal <= {workload.peak_goal}", peak <= workload.peak_goal
    if workload.meanwhile:
        waits = row.median(OURS, "waits") * 1000
        text = f"{name}: p99 of manifest GETs meanwhile {_short(waits)} ms, goal < {WAITS_GOAL:g}"
        yield text, waits < WAITS_GOAL


def _costs(row: Row) -> float | None:
    """Processor time as a multiple of the reference's; `None` where one of them was too short to be counted."""
    if not {OURS, REFERENCE} <= row.samples.keys() or not row.median(REFERENCE, "cpu"):
        return None
    return row.median(OURS, "cpu") / row.median(REFERENCE, "cpu")


def _ratio(row: Row) -> tuple[str, str]:
    workload = row.workload
    if not {OURS, workload.against} <= row.samples.keys():
        return "", ""
    ratio = row.ratio(OURS, workload.against)
    if not workload.goal:
        return f"{ratio:.2f}", ""
    return f"**{ratio:.2f}**", f">= {workload.goal:g}, {'met' if ratio >= workload.goal else 'missed'}"


def _slashed(row: Row, servers: Sequence[str], field: str, scale: float) -> str:
    return " / ".join(_short(row.median(name, field) / scale) for name in servers if name in row.samples)


def _table(rows: Sequence[Row]) -> Iterator[str]:
    servers = list(dict.fromkeys(name for row in rows for name in row.samples))
    yield f"Slashed cells: {' / '.join(servers)}."
    yield "CPU is processor seconds of the server per GiB, or per 1,000 operations where the unit is op/s."
    yield ""
    head = ["workload", "unit", *servers, "ratio", "goal", "CPU s", "peak MiB", "p50 ms", "p99 ms"]
    if any(row.workload.meanwhile for row in rows):
        head.append("p99 ms of GETs meanwhile")
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield line(row, servers)


def _figures(figures: Sequence[Figure]) -> Iterator[str]:
    """A line a name; a table for the names that have the same columns."""
    tables: dict[tuple[str, ...], list[list[Figure]]] = {}
    for name in dict.fromkeys(one.name for one in figures):
        found = [one for one in figures if one.name == name]
        tables.setdefault(tuple(_column(one) for one in found), []).append(found)
    for columns, rows in tables.items():
        yield ""
        yield f"| measure | unit | {' | '.join(columns)} | goal |"
        yield "|" + "---|" * (len(columns) + 3)
        yield from (_figure(row) for row in rows)


def _column(one: Figure) -> str:
    return one.column or one.server


def _figure(row: Sequence[Figure]) -> str:
    values = " | ".join(_short(one.value) for one in row)
    goals = dict.fromkeys(one.goal for one in row if one.limit)
    return f"| {row[0].name} | {row[0].unit} | {values} | {'; '.join(goals)} |"


def _about(found: Fingerprint) -> Iterator[str]:
    for name, facts in (("Machine", found.machine), ("Versions", found.versions), ("Settings", found.settings)):
        yield f"- {name}: " + "; ".join(f"{key} {value}" for key, value in facts.items())
    yield f"- Data set: {found.data}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
