"""The bench's command line: `python -m tests.bench run|compare|limit`."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from tests.bench import report, results
from tests.bench.basegate import SERVERS, USUAL
from tests.bench.peer import Peer
from tests.bench.results import Incomparable, Result, comparable, fingerprint
from tests.bench.rounds import measure
from tests.bench.servers import Server
from tests.bench.workloads import WORKLOADS


@click.group()
def main() -> None:
    """Measure basegate beside other registries on this machine."""


@main.command()
@click.option("--rounds", default=5, show_default=True, help="Interleaved rounds of each workload.")
@click.option("--only", default="", help="Workloads whose name contains this.")
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
    servers = chosen(names)
    workloads = [one.small() if small else one for one in WORKLOADS if only in report.title(one)]
    result = Result(fingerprint(workloads, servers, rounds), [])
    with tempfile.TemporaryDirectory(dir=folder, prefix="basegate-bench-") as place:
        for workload in workloads:
            result.rows.append(measure(workload, servers, rounds, Path(place)))
            click.echo(report.line(result.rows[-1], [server.name for server in servers]), err=True)
    click.echo(report.markdown(result))
    if save:
        result.save(save)


@main.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
def compare(old: Path, new: Path) -> None:
    """Say how rates moved between two saved results of the same data set."""
    before, after = results.load(old), results.load(new)
    try:
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
    with tempfile.TemporaryDirectory(prefix="basegate-bench-") as place:
        for workload in rows:
            row = measure(workload, [Peer(workload.size)], rounds, Path(place))
            click.echo(report.line(row, ["peer"]))


def chosen(names: Sequence[str]) -> list[Server]:
    """The servers of these names, or the usual ones; names those that are not installed."""
    wanted = [server for server in SERVERS if server.name in (names or USUAL)]
    found = [server for server in wanted if server.version()]
    for server in wanted:
        if server not in found:
            click.echo(f"{server.name} is not installed here; it has no column.", err=True)
    return found


if __name__ == "__main__":
    main()
