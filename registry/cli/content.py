"""`basegate repo|tag|manifest ls|show|rm`: what a data folder holds.

An image is NAME:TAG or NAME@DIGEST; NAME alone is NAME:latest.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import click

from registry.cli.command_audit import audited, note
from registry.cli.data_folder import (
    change,
    data_option,
    json_option,
    moment,
    print_json,
    run_query,
    settings_of,
    size,
    yes_option,
)
from registry.cli.tag_history import at_option, history_command, rollback_command, show_at
from registry.content.immutability import immutable_in
from registry.metadata import listings, transactions
from registry.metadata.listings import ManifestCard
from registry.metadata.transactions import ChangeContext
from registry.oci.errors import ManifestUnknown, OciError
from registry.oci.image_reference import ImageReference
from registry.oci.names import Reference, RepositoryName, Tag

_PAGE = 1000
_SHOWN = 5


def _name(value: str) -> RepositoryName:
    try:
        return RepositoryName.parse(value)
    except OciError as error:
        raise click.BadParameter(error.message) from error


def _image(value: str) -> tuple[RepositoryName, Reference]:
    try:
        image = ImageReference.parse_local(value)
    except OciError as error:
        raise click.BadParameter(error.message) from error
    return image.repository, image.reference


@click.group("repo")
def repo_group() -> None:
    """Repositories of a data folder."""


@repo_group.command("ls")
@data_option
@json_option
def list_repositories(data: Path, as_json: bool) -> None:  # noqa: FBT001
    """List all repositories."""
    if as_json:
        print_json(list(_names(data)))
        return
    for name in _names(data):
        click.echo(name)


@repo_group.command("show")
@click.argument("repository", type=_name)
@data_option
@json_option
def show_repository(repository: RepositoryName, data: Path, as_json: bool) -> None:  # noqa: FBT001
    """Show what a repository holds."""
    card = run_query(data, listings.repository, repository)
    if as_json:
        print_json(asdict(card))
        return
    click.echo(f"{card.name}: {card.tags} tags, {card.manifests} manifests, {card.blobs} blobs, {size(card.bytes)}")
    click.echo(f"created {moment(card.created)}")


@repo_group.command("rm")
@click.argument("repository", type=_name)
@yes_option
@data_option
@audited("repo.rm")
def remove_repository(repository: RepositoryName, data: Path, *, yes: bool) -> None:
    """Forget a repository with all its tags and manifests; `basegate gc run` frees the space."""
    card = run_query(data, listings.repository, repository)
    if not yes:
        click.confirm(f"Remove {repository} with {card.tags} tags and {card.manifests} manifests?", abort=True)
    change(data, transactions.drop_repository, _now(repository), _immutable(repository))
    click.echo(f"{repository} is removed")


@click.group("tag")
def tag_group() -> None:
    """Tags of a repository."""


@tag_group.command("ls")
@click.argument("repository", type=_name)
@data_option
@json_option
def list_tags(repository: RepositoryName, data: Path, as_json: bool) -> None:  # noqa: FBT001
    """List the tags of a repository."""
    cards = run_query(data, listings.tags_of, repository)
    if as_json:
        print_json([asdict(card) for card in cards])
        return
    for card in cards:
        click.echo(f"{card.name:<32} {card.digest}  {moment(card.updated)}")


@tag_group.command("show")
@click.argument("image", type=_image)
@at_option
@data_option
@json_option
def show_tag(image: tuple[RepositoryName, Reference], at: float | None, data: Path, *, as_json: bool) -> None:
    """Show where a tag points, or pointed."""
    repository, tag = image
    if at is not None and isinstance(tag, Tag):
        show_at(data, (repository, tag), at, as_json=as_json)
        return
    card = next((card for card in run_query(data, listings.tags_of, repository) if card.name == tag), None)
    if card is None:
        raise ManifestUnknown(f"{repository} has no tag {tag}")
    if as_json:
        print_json(asdict(card))
        return
    click.echo(f"{repository}:{card.name} -> {card.digest}")
    click.echo(f"created {moment(card.created)}, moved {moment(card.updated)}")
    click.echo(f"pulled {moment(card.pulled)}" if card.pulled else "never pulled, as far as is recorded")


@tag_group.command("rm")
@click.argument("image", type=_image)
@data_option
@audited("tag.rm")
def remove_tag(image: tuple[RepositoryName, Reference], data: Path) -> None:
    """Remove a tag alone; its manifest stays."""
    repository, tag = image
    if not isinstance(tag, Tag):
        raise click.UsageError("needs NAME:TAG; a digest is removed with `basegate manifest rm`")
    note(repository=repository, reference=tag)
    change(data, transactions.drop_tag, _now(repository), tag, _immutable(repository))
    click.echo(f"tag {repository}:{tag} is removed")


for command in (history_command, rollback_command):
    tag_group.add_command(command)


@click.group("manifest")
def manifest_group() -> None:
    """Manifests of a repository: images, indexes, artifacts."""


@manifest_group.command("ls")
@click.argument("repository", type=_name)
@data_option
@json_option
def list_manifests(repository: RepositoryName, data: Path, as_json: bool) -> None:  # noqa: FBT001
    """List the manifests of a repository, the oldest push first."""
    cards = run_query(data, listings.manifests_of, repository)
    if as_json:
        print_json([asdict(card) for card in cards])
        return
    for card in cards:
        click.echo(f"{card.digest}  {moment(card.pushed)}  {', '.join(card.tags) or '(no tag)'}")


@manifest_group.command("show")
@click.argument("image", type=_image)
@data_option
@json_option
def show_manifest(image: tuple[RepositoryName, Reference], data: Path, as_json: bool) -> None:  # noqa: FBT001
    """Show a manifest: its type, tags and parts."""
    card = run_query(data, listings.manifest, *image)
    if as_json:
        print_json(asdict(card))
        return
    click.echo("\n".join(_description(card)))


@manifest_group.command("rm")
@click.argument("image", type=_image)
@yes_option
@data_option
@audited("manifest.rm")
def remove_manifest(image: tuple[RepositoryName, Reference], data: Path, *, yes: bool) -> None:
    """Remove a manifest with all its tags; `basegate gc run` frees the space."""
    repository, reference = image
    card = run_query(data, listings.manifest, repository, reference)
    if card.tags and not yes:
        click.confirm(f"Remove {card.digest} with its tags {', '.join(card.tags)}?", abort=True)
    note(repository=repository, reference=reference, digest=card.digest)
    change(data, transactions.drop_manifest, _now(repository), card.digest, _immutable(repository))
    click.echo(f"{repository}@{card.digest} is removed")


def _names(data: Path) -> Iterator[RepositoryName]:
    after = ""
    while names := run_query(data, listings.names, after, _PAGE):
        yield from names
        after = names[-1]


def _now(repository: RepositoryName) -> ChangeContext:
    return ChangeContext(repository, "", time.time())


def _immutable(repository: RepositoryName) -> Callable[[Tag], bool]:
    """Which tags of a repository are immutable, by the settings of the running command."""
    return immutable_in(settings_of(click.get_current_context()), repository)


def _description(card: ManifestCard) -> Iterator[str]:
    yield f"digest   {card.digest}"
    yield f"type     {card.artifact_type or card.media_type}"
    yield f"tags     {', '.join(card.tags) or '(none)'}"
    yield f"pushed   {moment(card.pushed)} by {card.pushed_by or '(nobody)'}"
    for each in card.pulled[:_SHOWN]:
        yield f"pulled   {moment(each.time)} by {each.name}"
    if card.subject:
        yield f"subject  {card.subject}"
    for part in card.references:
        yield f"{part.kind:<8} {part.digest}  {size(part.size):>10}  {part.media_type}"
