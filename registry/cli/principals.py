"""`basegate principal …`: principals of a data folder; a running server follows within a second."""

import time
from collections.abc import Sequence
from pathlib import Path

import click

from registry.auth import enrolment
from registry.auth.actions import Role
from registry.auth.enrolment import SECRET_NAMES, Enrolment, document_of, moment
from registry.cli.command_audit import audited
from registry.cli.data_folder import (
    change,
    data_option,
    json_option,
    print_json,
    require_registry,
    run_query,
)
from registry.metadata import principals as rows
from registry.metadata.principals import PrincipalRow

_DAYS = click.option(
    "--days", type=click.FloatRange(min=0, min_open=True), default=365, show_default=True, help="Life of the secrets."
)


@click.group("principal")
def principal_group() -> None:
    """Who may sign in, and what they may do."""


@principal_group.command("create")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What it may do.")
@click.option(
    "--repositories",
    multiple=True,
    metavar="PATTERN",
    help="Where it may do it (* matches everything); may be repeated or separated by commas. Default: *",
)
@_DAYS
@data_option
@json_option
@audited("principal.create")
def create(  # noqa: PLR0913, PLR0917 - one per option
    name: str,
    role: str,
    repositories: Sequence[str],
    days: float,
    data: Path,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Make a principal with two secrets, which are shown this once."""
    patterns = [pattern.strip() for text in repositories for pattern in text.split(",") if pattern.strip()]
    require_registry(data)
    made = enrolment.draft(name, Role(role), patterns or ("*",), days)
    change(data, enrolment.record, made)
    _show_secrets(made, as_json=as_json)


@principal_group.command("list")
@data_option
@json_option
def list_all(data: Path, as_json: bool) -> None:  # noqa: FBT001
    """List all principals."""
    principals = run_query(data, rows.everyone)
    if as_json:
        print_json([document_of(row) for row in principals])
        return
    for row in principals:
        state = "" if row.enabled else "  disabled"
        click.echo(f"{row.name:<24} {row.id}  {row.role:<9} {','.join(row.repositories)}{state}")


@principal_group.command("show")
@click.argument("name")
@data_option
@json_option
def show(name: str, data: Path, as_json: bool) -> None:  # noqa: FBT001
    """Show one principal, by name or id."""
    _describe(run_query(data, enrolment.existing, name), as_json=as_json)


@principal_group.command("rotate")
@click.argument("name")
@click.option("--secret", type=click.Choice(SECRET_NAMES), help="Renew only this one. Default: both")
@_DAYS
@data_option
@json_option
@audited("principal.rotate")
def rotate(name: str, secret: str | None, days: float, data: Path, as_json: bool) -> None:  # noqa: FBT001
    """Renew secrets; the old ones and all their tokens stop working, the new ones are shown this once."""
    run_query(data, enrolment.existing, name)
    made = enrolment.make_secrets([secret] if secret else SECRET_NAMES, days, time.time())
    _show_secrets(change(data, enrolment.rotate, name, made), as_json=as_json)


@principal_group.command("disable")
@click.argument("name")
@data_option
@json_option
@audited("principal.disable")
def disable(name: str, data: Path, as_json: bool) -> None:  # noqa: FBT001
    """Shut a principal out; its tokens stop working as well."""
    _describe(change(data, enrolment.enable, name, enabled=False), as_json=as_json)


@principal_group.command("enable")
@click.argument("name")
@data_option
@json_option
@audited("principal.enable")
def enable(name: str, data: Path, as_json: bool) -> None:  # noqa: FBT001
    """Let a disabled principal in again."""
    _describe(change(data, enrolment.enable, name, enabled=True), as_json=as_json)


@principal_group.command("delete")
@click.argument("name")
@data_option
@json_option
@audited("principal.delete")
def delete(name: str, data: Path, as_json: bool) -> None:  # noqa: FBT001
    """Forget a principal for ever."""
    row = change(data, enrolment.delete, name)
    if as_json:
        print_json(document_of(row))
    else:
        click.echo(f"{row.name} ({row.id}) is deleted")


def _show_secrets(made: Enrolment, *, as_json: bool) -> None:
    if as_json:
        print_json(made.as_document())
        return
    click.echo(f"principal  {made.row.name} ({made.row.role}, {', '.join(made.row.repositories)})")
    click.echo(f"user name  {made.row.id}  (or: {made.row.name})")
    for secret in made.secrets:
        click.echo(f"{secret.row.name}  {secret.value}  (until {moment(secret.row.expires)})")
    click.echo("The secrets are shown this once; only their hashes are kept.")


def _describe(row: PrincipalRow, *, as_json: bool) -> None:
    if as_json:
        print_json(document_of(row))
        return
    click.echo(
        f"{row.name} ({row.id}): {row.role} on {', '.join(row.repositories)}, "
        f"{'enabled' if row.enabled else 'disabled'}"
    )
    for secret in row.secrets:
        click.echo(f"  {secret.name} until {moment(secret.expires)}")
