"""`basegate principal …`: principals of a data folder or a server; a running server follows within a second."""

from collections.abc import Sequence
from typing import Any

import click

from registry.administration import principals as acts
from registry.auth.actions import Role
from registry.auth.enrolment import SECRET_NAMES
from registry.cli.data_folder import yes_option
from registry.cli.output import json_option, print_json
from registry.cli.place import Place, Word, confirm, placed
from registry.cli.table import print_table

_NAME = Word("name", "NAME")
_DAYS = click.option(
    "--days",
    type=click.FloatRange(min=0, max=acts.DAYS_MAXIMUM, min_open=True),
    help="Life of the secrets. Default: auth.secret_days in the settings of the server or the data folder",
)


@click.group("principal")
def principal_group() -> None:
    """Who may sign in, and what they may do."""


@principal_group.command("create")
@placed(_NAME, action="principal.create")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What it may do.")
@click.option(
    "--repositories",
    multiple=True,
    metavar="PATTERN",
    help="Where it may do it (* matches everything); may be repeated or separated by commas. Default: *",
)
@_DAYS
@json_option
def create(  # noqa: PLR0913
    place: Place, name: str, *, role: str, repositories: Sequence[str], days: float | None, as_json: bool
) -> None:
    """Make a principal with two secrets, which are shown this once."""
    patterns = [pattern.strip() for text in repositories for pattern in text.split(",") if pattern.strip()]
    _show_secrets(place.do(acts.create_principal(name, Role(role), patterns, days)), as_json=as_json)


@principal_group.command("list")
@placed()
@json_option
def list_all(place: Place, *, as_json: bool) -> None:
    """List all principals."""
    known = place.do(acts.list_principals())["principals"]
    if as_json:
        print_json(known)
        return
    print_table(("NAME", "ID", "ROLE", "REPOSITORIES", "SECRETS END", ""), [_row(each) for each in known])


@principal_group.command("show")
@placed(_NAME)
@json_option
def show(place: Place, name: str, *, as_json: bool) -> None:
    """Show one principal, by name or id."""
    _describe(place.do(acts.show_principal(name)), as_json=as_json)


@principal_group.command("rotate")
@placed(_NAME, action="principal.rotate")
@click.option("--secret", type=click.Choice(SECRET_NAMES), help="Renew only this one. Default: both")
@_DAYS
@json_option
def rotate(place: Place, name: str, *, secret: str | None, days: float | None, as_json: bool) -> None:
    """Renew secrets; the old ones and all their tokens stop working, the new ones are shown this once."""
    _show_secrets(place.do(acts.rotate_principal(name, secret, days)), as_json=as_json)


@principal_group.command("disable")
@placed(_NAME, action="principal.disable")
@json_option
def disable(place: Place, name: str, *, as_json: bool) -> None:
    """Shut a principal out; its tokens stop working as well."""
    _describe(place.do(acts.enable_principal(name, enabled=False)), as_json=as_json)


@principal_group.command("enable")
@placed(_NAME, action="principal.enable")
@json_option
def enable(place: Place, name: str, *, as_json: bool) -> None:
    """Let a disabled principal in again."""
    _describe(place.do(acts.enable_principal(name, enabled=True)), as_json=as_json)


@principal_group.command("delete")
@placed(_NAME, action="principal.delete")
@yes_option
@json_option
def delete(place: Place, name: str, *, yes: bool, as_json: bool) -> None:
    """Forget a principal for ever."""
    known = place.do(acts.show_principal(name))
    confirm(f"Delete principal {known['name']} ({known['role']}) with its secrets?", yes=yes)
    gone = place.do(acts.delete_principal(name))
    if as_json:
        print_json(gone)
    else:
        click.echo(f"{gone['name']} ({gone['id']}) is deleted")


def _row(known: dict[str, Any]) -> tuple[str, ...]:
    ends = min((secret["expires"] for secret in known["secrets"]), default="")
    state = "" if known["enabled"] else "disabled"
    return known["name"], known["id"], known["role"], ",".join(known["repositories"]), ends, state


def _show_secrets(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    click.echo(f"principal  {made['name']} ({made['role']}, {', '.join(made['repositories'])})")
    click.echo(f"user name  {made['id']}  (or: {made['name']})")
    for secret in made["secrets"]:
        click.echo(f"{secret['name']}  {secret['value']}  (until {secret['expires']})")
    click.echo("The secrets are shown this once; only their hashes are kept.")


def _describe(known: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(known)
        return
    state = "enabled" if known["enabled"] else "disabled"
    click.echo(f"{known['name']} ({known['id']}): {known['role']} on {', '.join(known['repositories'])}, {state}")
    for secret in known["secrets"]:
        click.echo(f"  {secret['name']} until {secret['expires']}")
