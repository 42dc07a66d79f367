"""`basegate tag history|rollback`, and what a tag was at a time: what a data folder knows of a tag's past."""

import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import Connection

from registry.cli.command_audit import audited, note
from registry.cli.data_folder import (
    change,
    data_option,
    json_option,
    print_json,
    run_query,
    settings_of,
)
from registry.cli.place import Folder, Place
from registry.content import tag_history as service
from registry.content.immutability import immutable_in
from registry.metadata import tag_history
from registry.metadata.tag_history import Span
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest
from registry.oci.errors import DigestInvalid, ManifestUnknown, OciError
from registry.oci.image_reference import ImageReference
from registry.oci.moments import moment
from registry.oci.names import RepositoryName, Tag


class Moment(click.ParamType[float]):
    """A time with its zone, as seconds since the epoch."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it."""
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            self.fail(f"{value!r} is no time with a zone: write 2026-11-20T10:00Z, or +01:00 instead of Z", param, ctx)
        return found.timestamp()


def _tagged(value: str) -> tuple[RepositoryName, Tag]:
    try:
        image = ImageReference.parse_local(value)
    except OciError as error:
        raise click.BadParameter(error.message) from error
    if not isinstance(image.reference, Tag):
        raise click.BadParameter("needs NAME:TAG: a digest has no history, it is always the same content")
    return image.repository, image.reference


def _digest(value: str | None) -> Digest | None:
    try:
        return None if value is None else Digest.parse(value)
    except DigestInvalid as error:
        raise click.BadParameter(error.message) from error


at_option = click.option("--at", "at", type=Moment(), help="What it pointed at then: 2026-11-20T10:00Z.")


@click.command("history")
@click.argument("image", type=_tagged)
@click.option("--count", default=100, show_default=True, type=click.IntRange(1), help="The most entries to show.")
@data_option
@json_option
def history_command(image: tuple[RepositoryName, Tag], count: int, data: Path, *, as_json: bool) -> None:
    """Show what a tag pointed at, the newest first; also of a tag that was deleted."""
    repository, tag = image
    entries = run_query(data, tag_history.page, repository, tag, Span(), count)
    if not entries:
        raise ManifestUnknown(f"{repository} has had no tag {tag} since its history is kept")
    if as_json:
        print_json([asdict(entry) for entry in entries])
        return
    for entry in entries:
        click.echo(f"{moment(entry.time)}  {'deleted' if entry.deleted else 'set':<8} {entry.digest}")


@click.command("rollback")
@click.argument("image", type=_tagged)
@click.option("--to", "target", type=_digest, help="The digest that it is to point at; it must have pointed there.")
@at_option
@data_option
@audited("tag.rollback")
def rollback_command(image: tuple[RepositoryName, Tag], target: Digest | None, at: float | None, data: Path) -> None:
    """Point a tag at what it pointed at before; by default, at what was there before the present manifest."""
    if target is not None and at is not None:
        raise click.UsageError("--to and --at exclude each other: one of them says where to")
    repository, tag = image
    digest, before = change(data, _roll_back, repository, tag, target, at, _is_frozen(repository, tag))
    note(repository=repository, reference=tag, digest=digest)
    was = f"pointed at {before}" if before else "was not there"
    click.echo(f"{repository}:{tag} -> {digest}" if before == digest else f"{repository}:{tag} -> {digest}, {was}")


def show_at(place: Place, image: tuple[RepositoryName, Tag], at: float, *, as_json: bool) -> None:
    """Print what a tag pointed at, as an image to pull."""
    if not isinstance(place, Folder):
        raise click.UsageError(
            "--at reads a data folder: give --data, or ask the server for /v2/NAME/_oci/tag-history/TAG"
        )
    repository, tag = image
    digest = run_query(place.settings.data, service.target_at, repository, tag, at)
    if as_json:
        print_json({"repository": repository, "tag": tag, "digest": digest, "at": at})
        return
    click.echo(f"{repository}@{digest}")


def _roll_back(  # noqa: PLR0913, PLR0917
    connection: Connection,
    repository: RepositoryName,
    tag: Tag,
    target: Digest | None,
    at: float | None,
    frozen: bool,  # noqa: FBT001
) -> tuple[Digest, Digest | None]:
    if target is None:
        target = (
            service.target_before(connection, repository, tag)
            if at is None
            else service.target_at(connection, repository, tag, at)
        )
    context = ChangeContext(repository, "", time.time(), cause="rollback")
    return target, service.roll_back(connection, context, tag, target, frozen=frozen)


def _is_frozen(repository: RepositoryName, tag: Tag) -> bool:
    return immutable_in(settings_of(click.get_current_context()), repository)(tag)
