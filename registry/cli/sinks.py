"""`basegate events sinks|replay|test`: who is told of events, how far each is behind, and trying it."""

import click

from registry.administration import sinks as acts
from registry.cli.output import json_option, print_json
from registry.cli.place import Place, placed
from registry.errors import BasegateError, visible


class NotDelivered(BasegateError):
    """The sink has not taken a delivery."""


_name = click.option("--sink", "name", required=True, help="Its name in the settings.")


@click.command("sinks")
@placed()
@json_option
def sinks_command(place: Place, *, as_json: bool) -> None:
    """Show each sink: how many events it is behind, its last success and its last error."""
    found = place.do(acts.list_sinks())["sinks"]
    if as_json:
        print_json(found)
        return
    for each in found:
        wrong = f", failed {each['failures']} times: {each['error']}" if each["failures"] else ""
        last = each["delivered"] or "never"
        click.echo(visible(f"{each['name']}: {each['lag']} events behind, last told {last}{wrong}"))


@click.command("replay")
@placed(action="events.replay")
@_name
@click.option("--after", required=True, type=click.IntRange(0), help="Go on after the event of this id; 0: everything.")
@json_option
def replay_command(place: Place, *, name: str, after: int, as_json: bool) -> None:
    """Tell a sink once more what came after an event; a running server goes on from there."""
    done = place.do(acts.replay_sink(name, after))
    if as_json:
        print_json(done)
        return
    click.echo(f"{name} goes on after event {after}")


@click.command("test")
@placed()
@_name
@json_option
def test_command(place: Place, *, name: str, as_json: bool) -> None:
    """Send a sink something that tells it nothing, and say what it answers."""
    done = place.do(acts.test_sink(name))
    if done["problem"]:
        raise NotDelivered(done["problem"])
    if as_json:
        print_json(done)
        return
    click.echo(f"{name} has taken it")
