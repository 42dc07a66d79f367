"""`basegate events`: what happened in a data folder, in order; safe beside a running server."""

import json
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import click

from registry.cli.data_folder import data_option, json_option, print_json, run_query
from registry.cli.sinks import replay_command, sinks_command, test_command
from registry.metadata import events
from registry.metadata.events import Event, Recorded
from registry.notifications.document import document_of
from registry.oci.patterns import any_covers
from registry.oci.timestamp import exact_timestamp

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
    """What happened, in order."""


@events_group.command("ls")
@_chosen
@click.option("--count", default=1000, show_default=True, type=click.IntRange(1), help="The most events to show.")
@data_option
@json_option
def list_events(after: int | None, count: int, data: Path, *, as_json: bool, **chosen: tuple[str, ...]) -> None:
    """List events, the oldest first."""
    wanted = (each for each in _after(data, after or 0) if _is_chosen(each.event, **chosen))
    found = list(islice(wanted, count))
    if as_json:
        print_json([document_of(each) for each in found])
        return
    for each in found:
        click.echo(_line(each))


@events_group.command("follow")
@_chosen
@data_option
@json_option
def follow_events(after: int | None, data: Path, *, as_json: bool, **chosen: tuple[str, ...]) -> None:
    """Show events as they come, until interrupted; without --after, those from now on."""
    cursor = run_query(data, events.ends)[1] if after is None else after
    while True:
        for each in _after(data, cursor):
            cursor = each.id
            if _is_chosen(each.event, **chosen):
                click.echo(json.dumps(document_of(each)) if as_json else _line(each))
        time.sleep(_PAUSE_SECONDS)


def _after(data: Path, cursor: int) -> Iterator[Recorded]:
    while found := run_query(data, events.after, cursor, _PAGE):
        yield from found
        cursor = found[-1].id


def _is_chosen(event: Event, patterns: tuple[str, ...], kinds: tuple[str, ...]) -> bool:
    return (not patterns or any_covers(patterns, event.repository)) and (not kinds or event.kind in kinds)


def _line(recorded: Recorded) -> str:
    event = recorded.event
    place = f"{event.repository}:{event.tag}" if event.tag else event.repository
    by = f"by {recorded.by}" if recorded.by else ""
    time = exact_timestamp(recorded.time)
    return f"{recorded.id:>8}  {time}  {event.kind:<19} {place}  {event.digest}  {by}".rstrip()


for each_command in (sinks_command, replay_command, test_command):
    events_group.add_command(each_command)
