"""`basegate events`: what happened, in order, in a data folder or on a server."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

import click

from policy.administration.event_feed import read_events
from registry.cli.output import json_option, line_for_programs, print_json
from registry.cli.place import Place, placed
from registry.cli.sinks import replay_command, sinks_command, test_command
from registry.errors import visible

F = TypeVar("F", bound=Callable[..., Any])

_PAGE = 1000
_PAUSE_SECONDS = 0.5


def _chosen(command: F) -> F:
    """The options that say which events are meant."""
    options = (
        click.option("--after", type=click.IntRange(0), help="Only what came after this id; 0: everything."),
        click.option("--repository", "patterns", multiple=True, help="Only of these: a pattern, may be given again."),
        click.option("--kind", "kinds", multiple=True, help="Only of this kind, as tag.set; may be given again."),
    )
    for option in options:
        command = option(command)
    return command


@click.group("events", short_help="What happened, in order.")
def events_group() -> None:
    """What happened, in order, in a data folder or on the server at HOST:PORT."""


@events_group.command("ls")
@placed()
@_chosen
@click.option("--count", default=1000, show_default=True, type=click.IntRange(1), help="The most events to show.")
@json_option
def list_events(  # noqa: PLR0913 - one per option
    place: Place, *, after: int | None, patterns: Sequence[str], kinds: Sequence[str], count: int, as_json: bool
) -> None:
    """List events, the oldest first; on a server those of repositories that you may pull from."""
    found = list(islice(_events(place, after or 0, patterns, kinds), count))
    if as_json:
        print_json(found)
        return
    for each in found:
        click.echo(_line(each))


@events_group.command("follow")
@placed()
@_chosen
@json_option
def follow_events(
    place: Place, *, after: int | None, patterns: Sequence[str], kinds: Sequence[str], as_json: bool
) -> None:
    """Show events as they come, until interrupted; without --after, those from now on."""
    cursor = int(place.do(read_events(0, 0, (), ()))["newest"]) if after is None else after
    while True:
        page = place.do(read_events(cursor, _PAGE, patterns, kinds))
        for each in page["events"]:
            click.echo(line_for_programs(each) if as_json else _line(each))
        cursor = int(page["next"])
        if not page["more"]:
            time.sleep(_PAUSE_SECONDS)


def _events(place: Place, cursor: int, patterns: Sequence[str], kinds: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Those behind a cursor that there are now."""
    more = True
    while more:
        page = place.do(read_events(cursor, _PAGE, patterns, kinds))
        yield from page["events"]
        cursor, more = int(page["next"]), page["more"]


def _line(event: dict[str, Any]) -> str:
    tag, actor = event.get("tag"), event.get("actor", {}).get("name")
    where = f"{event['repository']}:{tag}" if tag else event["repository"]
    by = f"by {actor}" if actor else ""
    told = f"{event['id']:>8}  {event['time']}  {event['kind']:<19} {where}  {event.get('digest', '')}  {by}"
    return visible(told.rstrip())


for each_command in (sinks_command, replay_command, test_command):
    events_group.add_command(each_command)
