"""`basegate retention plan|run`: what the rules of the settings keep, and removing what they do not."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import click

from policy.cli.folder_services import folder_services
from policy.enforcement.marks import marks_of
from registry.cli.command_audit import audited, note, record_lines
from registry.cli.data_folder import (
    data_option,
    json_option,
    log_to_stderr,
    print_json,
    require_registry,
    settings_of,
    yes_option,
)
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.retention import Retention, open_retention, plan_as_json, plan_from_json
from registry.content.retention_plan import Judged, Unkept
from registry.maintenance.retention_schedule import lines_of
from registry.oci.errors import NameUnknown, OciError
from registry.oci.names import RepositoryName

_SHOWN = 50


@click.group("retention")
def retention_group() -> None:
    """What is kept of repositories, by rules of the settings."""


@retention_group.command("plan")
@click.option("--repository", default="", metavar="NAME", help="Of this repository, and why each thing is kept.")
@data_option
@json_option
def plan_command(repository: str, data: Path, as_json: bool) -> None:  # noqa: FBT001
    """Tell what no rule keeps, and what `basegate retention run` would remove of it. Nothing is changed."""
    with _retention(data) as retention:
        if repository:
            _explain(asyncio.run(retention.explain(_name(repository))), repository, as_json=as_json)
            return
        plan = asyncio.run(retention.plan())
    if as_json:
        print_json(plan_as_json(plan))
        return
    for item in plan.unkept[:_SHOWN]:
        click.echo(_line(item))
    if len(plan.unkept) > _SHOWN:
        click.echo(f"and {len(plan.unkept) - _SHOWN} more: --json tells all")
    for number, count in sorted(plan.kept.items()):
        click.echo(f"rule {number} keeps {count} tags and manifests")
    click.echo(f"nothing keeps {_counted(plan.unkept)}; a run removes {_counted(plan.removed)}")


@retention_group.command("run")
@click.option(
    "--plan",
    "planned",
    type=click.File("rb"),
    help="A plan that `basegate retention plan --json` wrote; refused when the state is another by now.",
)
@yes_option
@data_option
@json_option
@audited("retention.run")
def run_command(planned: BinaryIO | None, *, yes: bool, data: Path, as_json: bool) -> None:
    """Remove what a plan says: what no rule keeps where the rule has `else: delete`.

    It goes to the trash: `basegate trash restore RUN` brings it back, as long as gc.undo_seconds says.
    """
    settings = settings_of(click.get_current_context())

    def told(run: str, gone: Sequence[Unkept]) -> None:
        note(run=run)
        record_lines(settings, list(lines_of(run, gone)))

    with _retention(data) as retention:
        plan = asyncio.run(retention.plan()) if planned is None else plan_from_json(planned.read())
        if plan.removed and not yes:
            click.confirm(f"Remove {_counted(plan.removed)}?", abort=True)
        report = asyncio.run(retention.run(plan, told))
    note(run=report.run, removed=str(len(report.removed)))
    if as_json:
        print_json(asdict(report))
        return
    for item in report.spared[:_SHOWN]:
        click.echo(f"stays, since its repository changed meanwhile: {_line(item)}")
    click.echo(f"removed {_counted(report.removed)}" + (f" ({report.run})" if report.run else ""))


@contextmanager
def _retention(data: Path) -> Iterator[Retention]:
    log_to_stderr()
    require_registry(data)
    settings = settings_of(click.get_current_context())
    with folder_services(data, settings) as services:
        in_force: SettingsInForce[RegistrySettings] = SettingsInForce(settings)
        yield open_retention(services.metadata, in_force, marks_of(services.gate))


def _name(value: str) -> RepositoryName:
    try:
        return RepositoryName.parse(value)
    except OciError as error:
        raise click.BadParameter(error.message) from error


def _explain(judged: Judged | None, repository: str, *, as_json: bool) -> None:
    if judged is None:
        raise NameUnknown(
            f"no rule of retention matches {repository}, or there is no such repository: it is left alone"
        )
    if as_json:
        print_json({"kept": dict(judged.kept), "unkept": [asdict(item) for item in judged.unkept]})
        return
    for name, why in sorted(judged.kept.items()):
        click.echo(f"kept {name}: {why}")
    for item in judged.unkept:
        click.echo(_line(item))


def _line(item: Unkept) -> str:
    what = f"{item.repository}:{item.tag} ({item.digest})" if item.tag else f"{item.repository}@{item.digest}"
    return f"{item.action} {what}: {item.reason}"


def _counted(items: tuple[Unkept, ...]) -> str:
    counts = Counter(bool(item.tag) for item in items)
    return f"{counts[True]} tags and {counts[False]} manifests"
