"""`basegate repo|tag|manifest`: what a data folder or a server holds, and taking things out of it."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import click

from registry.administration import content
from registry.cli.command_audit import note
from registry.cli.data_folder import yes_option
from registry.cli.output import json_option, print_json, size
from registry.cli.place import IMAGE, REPOSITORY, Place, confirm, entries, placed
from registry.cli.table import age, print_table
from registry.cli.tag_history import at_option, history_command, rollback_command, show_at, tag_of
from registry.oci.image_reference import ImageReference
from registry.oci.names import RepositoryName

_SHOWN = 5


@click.group("repo")
def repo_group() -> None:
    """Repositories of a data folder, or of the server at HOST:PORT."""


@repo_group.command("ls")
@placed()
@json_option
def list_repositories(place: Place, *, as_json: bool) -> None:
    """List all repositories that you may see, one a line."""
    names = entries(place, content.list_repositories, "repositories")
    if as_json:
        print_json(list(names))
        return
    for name in names:
        click.echo(name)


@repo_group.command("show")
@placed(REPOSITORY)
@json_option
def show_repository(place: Place, repository: RepositoryName, *, as_json: bool) -> None:
    """Show what a repository holds."""
    card = place.do(content.show_repository(repository))
    if as_json:
        print_json(card)
        return
    counts = f"{card['tags']} tags, {card['manifests']} manifests, {card['blobs']} blobs"
    click.echo(f"{card['name']}: {counts}, {size(card['bytes'])}")
    click.echo(f"created {card['created']}, {age(card['created'])} ago")


@repo_group.command("rm")
@placed(REPOSITORY, action="repo.rm")
@yes_option
@json_option
def remove_repository(place: Place, repository: RepositoryName, *, yes: bool, as_json: bool) -> None:
    """Forget a repository with all its tags and manifests; `basegate gc run` frees the space."""
    card = place.do(content.show_repository(repository))
    confirm(f"Remove {repository} with {card['tags']} tags and {card['manifests']} manifests?", yes=yes)
    gone = place.do(content.delete_repository(repository))
    _say(gone, f"{repository} is removed", as_json=as_json)


@click.group("tag")
def tag_group() -> None:
    """Tags of a repository."""


@tag_group.command("ls")
@placed(REPOSITORY)
@json_option
def list_tags(place: Place, repository: RepositoryName, *, as_json: bool) -> None:
    """List the tags of a repository."""
    cards = list(entries(place, partial(content.list_tags, repository), "tags"))
    if as_json:
        print_json(cards)
        return
    rows = [
        (card["name"], card["digest"], card["updated"], age(card["updated"]), "locked" if card["locked"] else "")
        for card in cards
    ]
    print_table(("TAG", "DIGEST", "MOVED", "AGE", ""), rows)


@tag_group.command("show")
@at_option
@placed(IMAGE)
@json_option
def show_tag(place: Place, image: ImageReference, at: float | None, *, as_json: bool) -> None:
    """Show where a tag points, or pointed."""
    if at is not None:
        show_at(place, image, at, as_json=as_json)
        return
    card = place.do(content.show_tag(image.repository, tag_of(image)))
    if as_json:
        print_json(card)
        return
    click.echo(f"{image.repository}:{card['name']} -> {card['digest']}")
    locked = ", locked" if card["locked"] else ""
    click.echo(f"created {card['created']}, moved {card['updated']}, {age(card['updated'])} ago{locked}")
    click.echo(f"pulled {card['pulled']}" if card["pulled"] else "never pulled, as far as is recorded")


@tag_group.command("rm")
@placed(IMAGE, action="tag.rm")
@json_option
def remove_tag(place: Place, image: ImageReference, *, as_json: bool) -> None:
    """Remove a tag alone; its manifest stays."""
    tag = tag_of(image)
    note(repository=image.repository, reference=tag)
    gone = place.do(content.delete_tag(image.repository, tag))
    _say(gone, f"tag {image.repository}:{tag} is removed", as_json=as_json)


@tag_group.command("lock")
@placed(IMAGE, action="tag.lock")
@json_option
def lock_tag(place: Place, image: ImageReference, *, as_json: bool) -> None:
    """Lock a tag: it neither moves nor goes until it is unlocked."""
    _lock(place, image, locked=True, as_json=as_json)


@tag_group.command("unlock")
@placed(IMAGE, action="tag.unlock")
@json_option
def unlock_tag(place: Place, image: ImageReference, *, as_json: bool) -> None:
    """Let a locked tag move and go again."""
    _lock(place, image, locked=False, as_json=as_json)


for command in (history_command, rollback_command):
    tag_group.add_command(command)


@click.group("manifest")
def manifest_group() -> None:
    """Manifests of a repository: images, indexes, artifacts."""


@manifest_group.command("ls")
@placed(REPOSITORY)
@json_option
def list_manifests(place: Place, repository: RepositoryName, *, as_json: bool) -> None:
    """List the manifests of a repository, the oldest push first."""
    found = entries(place, partial(content.list_manifests, repository), "manifests")
    cards = sorted(found, key=lambda card: (card["pushed"], card["digest"]))
    if as_json:
        print_json(cards)
        return
    rows = [
        (card["digest"], card["pushed"], age(card["pushed"]), ", ".join(card["tags"]) or "(no tag)") for card in cards
    ]
    print_table(("DIGEST", "PUSHED", "AGE", "TAGS"), rows)


@manifest_group.command("show")
@placed(IMAGE)
@json_option
def show_manifest(place: Place, image: ImageReference, *, as_json: bool) -> None:
    """Show a manifest: its type, tags and parts."""
    card = place.do(content.show_manifest(image.repository, image.reference))
    if as_json:
        print_json(card)
        return
    click.echo("\n".join(_description(card)))


@manifest_group.command("rm")
@placed(IMAGE, action="manifest.rm")
@yes_option
@json_option
def remove_manifest(place: Place, image: ImageReference, *, yes: bool, as_json: bool) -> None:
    """Remove a manifest with all its tags; `basegate gc run` frees the space."""
    card = place.do(content.show_manifest(image.repository, image.reference))
    if card["tags"]:
        confirm(f"Remove {card['digest']} with its tags {', '.join(card['tags'])}?", yes=yes)
    note(repository=image.repository, reference=image.reference, digest=card["digest"])
    gone = place.do(content.delete_manifest(image.repository, card["digest"]))
    _say(gone, f"{image.repository}@{card['digest']} is removed", as_json=as_json)


def _lock(place: Place, image: ImageReference, *, locked: bool, as_json: bool) -> None:
    tag = tag_of(image)
    note(repository=image.repository, reference=tag)
    card = place.do(content.lock_tag(image.repository, tag, locked=locked))
    _say(card, f"tag {image.repository}:{tag} is {'locked' if locked else 'not locked any more'}", as_json=as_json)


def _say(document: Any, line: str, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        click.echo(line)


def _description(card: dict[str, Any]) -> Iterator[str]:
    yield f"digest   {card['digest']}"
    yield f"type     {card['artifact_type'] or card['media_type']}"
    yield f"tags     {', '.join(card['tags']) or '(none)'}"
    yield f"pushed   {card['pushed']} by {card['pushed_by_name'] or card['pushed_by'] or '(nobody)'}"
    for each in card["pullers"][:_SHOWN]:
        yield f"pulled   {each['time']} by {each['name']}"
    if card["withheld"]:
        yield f"parts    withheld: {card['withheld']}"
    if card["subject"]:
        yield f"subject  {card['subject']}"
    for part in card["references"]:
        yield f"{part['kind']:<8} {part['digest']}  {size(part['size']):>10}  {part['media_type']}"
