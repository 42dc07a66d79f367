"""`basegate workspace`: what deployments belong to, and the registry that it has from the first one on."""

from typing import Any
from urllib.parse import quote

import click

from policy.cli.check import asking_of, asking_options
from policy.cli.deployment import show
from policy.client.api import ask
from registry.cli.output import print_json

_PATH = "/policy/v1/workspaces"


@click.group("workspace", short_help="Show and create workspaces.")
def workspace_group() -> None:
    """Workspaces."""


@workspace_group.command("show")
@click.argument("name", required=False)
@click.option("-w", "--workspace-name", "named", default="", help="Its name, as az takes it.")
@click.option("-g", "--resource-group", default="", help="Taken as az takes it; the name is enough here.")
@click.option("--query", default="", help="Only this member, as JSON: containerRegistry.")
@asking_options
def show_command(
    name: str | None,
    *,
    named: str,
    resource_group: str,  # noqa: ARG001
    query: str,
    as_json: bool,
    **flags: Any,
) -> None:
    """Show a workspace; its containerRegistry is null until its first deployment is recorded."""
    document = ask(asking_of(**flags).connection_to_gateway(), "GET", _path(name or named))
    if not query:
        show(document, as_json=as_json)
    elif query in document:
        print_json(document[query])
    else:
        raise click.UsageError(f"a workspace has no {query}: it has {', '.join(document)}")


@workspace_group.command("create")
@click.argument("name", required=False)
@click.option("-w", "--workspace-name", "named", default="", help="Its name, as az takes it.")
@click.option("-g", "--resource-group", default="", help="The resource group in its id.")
@asking_options
def create_command(name: str | None, *, named: str, resource_group: str, as_json: bool, **flags: Any) -> None:
    """Create a workspace; needs the role Owner."""
    body = {"resourceGroup": resource_group} if resource_group else {}
    document = ask(asking_of(**flags).connection_to_gateway(), "PUT", _path(name or named), body)
    show(document, as_json=as_json)


def _path(name: str) -> str:
    if not name:
        raise click.UsageError("give the workspace's NAME")
    return f"{_PATH}/{quote(name, safe='')}"
