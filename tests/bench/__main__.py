"""The bench's command line: `python -m tests.bench run|turns|instructions|first-steps|scale|show|compare|limit`."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from tests.bench import instructions, report, results, turns
from tests.bench.basegate import BASEGATE, SERVERS, USUAL
from tests.bench.first_steps import measure_first_steps
from tests.bench.imports import measure_imports
from tests.bench.peer import Peer
from tests.bench.results import Incomparable, Result, comparable, fingerprint, fingerprint_of
from tests.bench.rounds import measure
from tests.bench.scale import Effort, measure_scale
from tests.bench.servers import Server
from tests.bench.starts import measure_starts
from tests.bench.stock import Stock
from tests.bench.workloads import WORKLOADS


@click.group()
def main() -> None:
    """Measure basegate beside other registries on this machine."""


@main.command()
@click.option("--rounds", default=5, show_default=True, help="Interleaved rounds of each workload.")
@click.option("--only", default="", help="Workloads whose name contains this; `starts`: only those.")
@click.option("--server", "names", multiple=True, help="Servers by name; may be repeated.")
@click.option("--small", is_flag=True, help="A fraction of a second of each: does the bench run?")
@click.option("--save", type=click.Path(path_type=Path), help="Write the result there as JSON.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where the servers store; a temporary folder by default."
)
def run(  # noqa: PLR0917 - one parameter an option
    rounds: int, only: str, names: tuple[str, ...], small: bool, save: Path | None, folder: Path | None
) -> None:
    """Run the workloads and print the table."""
    workloads = [one.small() if small else one for one in WORKLOADS if only in report.title(one)]
    plan = [(workload, chosen(names, workload.servers)) for workload in workloads]
    taking_part = dict.fromkeys(server.name for _, servers in plan for server in servers)
    servers = [server for server in SERVERS if server.name in taking_part]
    _tell_missing(names)
    result = Result(fingerprint(workloads, servers, rounds), [])
    _check_room(save, result)
    with tempfile.TemporaryDirectory(dir=folder, prefix="basegate-bench-") as place:
        for workload, able in plan:
            result.rows.append(measure(workload, able, rounds, Path(place)))
            click.echo(report.line(result.rows[-1], [server.name for server in able]), err=True)
        if only in {"", "starts"}:
            result.figures.extend(measure_starts(chosen(names), rounds, Path(place)))
    _finish(result, save)


@main.command(name="turns")
@click.option("--before", type=click.Path(exists=True, path_type=Path), required=True, help="A tree with its .venv.")
@click.option("--rounds", default=5, show_default=True, help="Interleaved rounds of each workload.")
@click.option("--only", multiple=True, help="Workloads whose name contains this; may be repeated.")
@click.option("--small", is_flag=True, help="A fraction of a second of each: does it run?")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the servers store.")
def turns_(before: Path, rounds: int, only: tuple[str, ...], small: bool, folder: Path | None) -> None:
    """Compare this tree with another in turns: processor time of the server for each row."""
    click.echo(turns.head())
    rows = []
    with tempfile.TemporaryDirectory(dir=folder, prefix="basegate-bench-") as place:
        for row in turns.in_turns(before, only, rounds, Path(place), small=small):
            rows.append(row)
            click.echo(turns.line(row))
    click.echo(f"\n{turns.dearer(rows)}")


@main.command(name="instructions")
@click.option("--before", type=click.Path(exists=True, path_type=Path), required=True, help="A tree with its .venv.")
@click.option("--only", multiple=True, help="Workloads whose name contains this; may be repeated.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the servers store.")
def instructions_(before: Path, only: tuple[str, ...], folder: Path | None) -> None:
    """Compare this tree with another: instructions of each row, counted by valgrind."""
    click.echo(instructions.HEAD)
    rows = []
    with tempfile.TemporaryDirectory(dir=folder, prefix="basegate-bench-") as place:
        for row in instructions.counted(before, turns.wanted(only), Path(place)):
            rows.append(row)
            click.echo(row.line())
    click.echo(f"\n{instructions.dearer(rows)}")


@main.command(name="first-steps")
@click.option("--rounds", default=5, show_default=True, help="Rounds of the imports.")
@click.option("--save", type=click.Path(path_type=Path), help="Write the result there as JSON.")
def first_steps_(rounds: int, save: Path | None) -> None:
    """Take the first steps of a new user, and import what a tester's first registry needs."""
    result = Result(fingerprint_of("first steps", [BASEGATE]), [])
    _check_room(save, result)
    with tempfile.TemporaryDirectory(prefix="first-steps-") as place:
        result.figures.extend([*measure_first_steps(Path(place)), *measure_imports(rounds)])
    _finish(result, save)


@main.command()
@click.option("--repositories", default=100_000, show_default=True)
@click.option("--tags", default=1_000_000, show_default=True)
@click.option("--questions", default=500, show_default=True, help="Requests of each kind.")
@click.option("--starts", default=3, show_default=True, help="Starts over each store.")
@click.option("--settle", default=5.0, show_default=True, help="Seconds to watch after each start.")
@click.option("--save", type=click.Path(path_type=Path), help="Write the result there as JSON.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where basegate stores.")
def scale(  # noqa: PLR0917 - one parameter an option
    repositories: int,
    tags: int,
    questions: int,
    starts: int,
    settle: float,
    save: Path | None,
    folder: Path | None,
) -> None:
    """Ask a basegate that holds much: pages, deletes, its start."""
    stock, effort = Stock(repositories, tags), Effort(questions, starts, settle)
    result = Result(fingerprint_of(f"{stock} {effort}", [BASEGATE]), [])
    _check_room(save, result)
    with tempfile.TemporaryDirectory(dir=folder, prefix="basegate-scale-") as place:
        result.figures.extend(measure_scale(BASEGATE, stock, effort, Path(place)))
    _finish(result, save)


@main.command()
@click.argument("saved", nargs=-1, required=True, type=click.Path(path_type=Path))
def show(saved: tuple[Path, ...]) -> None:
    """Print the tables and goals of saved results again."""
    try:
        for path in saved:
            click.echo(report.markdown(results.load(path)))
    except Incomparable as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
def compare(old: Path, new: Path) -> None:
    """Say how rates moved between two saved results of the same data set."""
    try:
        before, after = results.load(old), results.load(new)
        comparable(before, after)
    except Incomparable as error:
        raise click.ClickException(str(error)) from error
    click.echo(report.changes(before, after))


@main.command()
@click.option("--rounds", default=3, show_default=True)
def limit(rounds: int) -> None:
    """Show what the load generator drives at most, against a peer in C that only moves bytes."""
    if not shutil.which("cc"):
        raise click.ClickException("No C compiler (cc) was found; install one to show the generator's limit.")
    flows = {"push", "pull", "version"}
    rows = [one for one in WORKLOADS if one.flow in flows and one.kind == "random" and one.door == "open"]
    click.echo("| peer, workload | rate |\n|---|---|")
    with tempfile.TemporaryDirectory(prefix="basegate-bench-") as place:
        for workload in rows:
            row = measure(workload, [Peer(workload.size)], rounds, Path(place))
            click.echo(f"| {report.title(workload)} | {row.median('peer', 'rate'):,.0f} {workload.unit} |")


def chosen(names: Sequence[str], own: Sequence[str] = ()) -> list[Server]:
    """The installed servers of a row: its own, else those asked for, else the usual ones."""
    wanted = [name for name in own if not names or name in names] if own else (names or USUAL)
    return [server for server in SERVERS if server.name in wanted and server.version()]


def _tell_missing(names: Sequence[str]) -> None:
    for name in names or USUAL:
        if name not in [server.name for server in chosen([name])]:
            click.echo(f"{name} is not installed here; it has no column.", err=True)


def _check_room(save: Path | None, result: Result) -> None:
    try:
        if save:
            results.require_room(save, result.fingerprint)
    except Incomparable as error:
        raise click.ClickException(str(error)) from error


def _finish(result: Result, save: Path | None) -> None:
    click.echo(report.markdown(result))
    if save:
        result.save(save)


if __name__ == "__main__":
    main()
