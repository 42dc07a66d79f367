"""`basegate events sinks|replay|test`: who is told of events, how far each is behind, and trying it."""

import asyncio
import time
from pathlib import Path

import click

from registry.cli.command_audit import audited
from registry.cli.data_folder import change, data_option, json_option, print_json, run_query, settings_of
from registry.errors import BasegateError
from registry.metadata import events, sinks
from registry.metadata.identity import identity
from registry.metadata.sinks import SinkState
from registry.notifications.formats import Origin, ping
from registry.notifications.sink import Sink
from registry.oci.timestamp import exact_timestamp


class NoSuchSink(BasegateError):
    """No sink has this name."""


class NotDelivered(BasegateError):
    """The sink has not taken a delivery."""


@click.command("sinks")
@data_option
@json_option
def sinks_command(data: Path, *, as_json: bool) -> None:
    """Show each sink: how many events it is behind, its last success and its last error."""
    newest = run_query(data, events.ends)[1]
    states = run_query(data, sinks.every)
    if as_json:
        print_json([_document(state, newest) for state in states])
        return
    for state in states:
        last = exact_timestamp(state.delivered) if state.delivered else "never"
        wrong = f", failed {state.failures} times: {state.error}" if state.failures else ""
        click.echo(f"{state.name}: {newest - state.cursor} events behind, last told {last}{wrong}")


@click.command("replay")
@click.option("--sink", "name", required=True, help="Its name in the settings.")
@click.option("--after", required=True, type=click.IntRange(0), help="Go on after the event of this id; 0: everything.")
@data_option
@audited("events.replay")
def replay_command(name: str, after: int, data: Path) -> None:
    """Tell a sink once more what came after an event; a running server goes on from there."""
    if not change(data, sinks.move, name, after):
        raise NoSuchSink(f"no sink {name} was ever told anything: see `basegate events sinks --data {data}`")
    click.echo(f"{name} goes on after event {after}")


@click.command("test")
@click.option("--sink", "name", required=True, help="Its name in the settings.")
@data_option
def test_command(name: str, data: Path) -> None:
    """Send a sink something that tells it nothing, and say what it answers."""
    origin = Origin(run_query(data, identity).id)
    settings = settings_of(click.get_current_context()).events.sinks
    found = next((each for each in settings if each.name == name), None)
    if found is None:
        raise NoSuchSink(f"no sink is called {name}: the settings know {', '.join(e.name for e in settings) or 'none'}")
    problem = asyncio.run(_ping(Sink.of(found), origin))
    if problem:
        raise NotDelivered(problem)
    click.echo(f"{name} has taken it")


async def _ping(sink: Sink, origin: Origin) -> str:
    from registry.notifications.post import client_of, deliver  # noqa: PLC0415 - slow to import

    async with client_of(sink) as client:
        return await deliver(client, sink, ping(sink.format, origin, time.time()))


def _document(state: SinkState, newest: int) -> dict[str, object]:
    return {
        "name": state.name,
        "cursor": state.cursor,
        "lag": newest - state.cursor,
        "failures": state.failures,
        "given_up": state.given_up,
        "delivered": exact_timestamp(state.delivered) if state.delivered else None,
        "tried": exact_timestamp(state.tried) if state.tried else None,
        "error": state.error,
    }
