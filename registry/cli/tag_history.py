"""`basegate tag history|rollback`, and what a tag was at a time: its past, in a data folder or on a server."""

from functools import partial
from itertools import islice

import click

from registry.administration import tag_past
from registry.cli.command_audit import note
from registry.cli.output import json_option, print_json
from registry.cli.place import IMAGE, Place, entries, placed
from registry.cli.table import age, print_table
from registry.oci.digest import Digest
from registry.oci.errors import DigestInvalid
from registry.oci.image_reference import ImageReference
from registry.oci.names import Tag
from registry.oci.timestamp import zoned_seconds_of


class ZonedTime(click.ParamType[float]):
    """A time with its zone, as seconds since the epoch."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it."""
        try:
            return zoned_seconds_of(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time with a zone: write 2026-11-20T10:00Z, or +01:00 instead of Z", param, ctx)


def _digest(value: str | None) -> Digest | None:
    try:
        return None if value is None else Digest.parse(value)
    except DigestInvalid as error:
        raise click.BadParameter(error.message) from error


at_option = click.option("--at", "at", type=ZonedTime(), help="What it pointed at then: 2026-11-20T10:00Z.")


@click.command("history")
@placed(IMAGE)
@click.option(
    "--count",
    default=100,
    show_default=True,
    type=click.IntRange(1),
    help="The most entries to show.",
)
@json_option
def history_command(place: Place, image: ImageReference, *, count: int, as_json: bool) -> None:
    """Show what a tag pointed at, the newest first; also of a tag that was deleted."""
    ask = partial(tag_past.list_history, image.repository, tag_of(image), count)
    found = list(islice(entries(place, ask, "entries"), count))
    if as_json:
        print_json(found)
        return
    rows = [(each["time"], age(each["time"]), _what(each), each["digest"]) for each in found]
    print_table(("TIME", "AGE", "WHAT", "DIGEST"), rows)


@click.command("rollback")
@placed(IMAGE, action="tag.rollback")
@click.option("--to", "target", type=_digest, help="The digest that it is to point at; it must have pointed there.")
@at_option
@json_option
def rollback_command(
    place: Place, image: ImageReference, *, target: Digest | None, at: float | None, as_json: bool
) -> None:
    """Point a tag at what it pointed at before; by default, at what was there before the present manifest."""
    if target is not None and at is not None:
        raise click.UsageError("--to and --at exclude each other: one of them says where to")
    repository, tag = image.repository, tag_of(image)
    done = place.do(tag_past.roll_back(repository, tag, target, at))
    digest, before = done["digest"], done["before"]
    note(repository=repository, reference=tag, digest=digest)
    if as_json:
        print_json(done)
        return
    was = f"pointed at {before}" if before else "was not there"
    click.echo(f"{repository}:{tag} -> {digest}" if before == digest else f"{repository}:{tag} -> {digest}, {was}")


def show_at(place: Place, image: ImageReference, at: float, *, as_json: bool) -> None:
    """Print what a tag pointed at, as an image to pull."""
    past = place.do(tag_past.show_past(image.repository, tag_of(image), at))
    if as_json:
        print_json(past)
        return
    click.echo(f"{image.repository}@{past['digest']}")


def tag_of(image: ImageReference) -> Tag:
    """The tag that was named. Raises UsageError for a digest."""
    if not isinstance(image.reference, Tag):
        raise click.UsageError("needs NAME:TAG; a digest is shown and removed with `basegate manifest`")
    return image.reference


def _what(entry: dict[str, object]) -> str:
    return "deleted" if entry["deleted"] else "set"
