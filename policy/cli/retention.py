"""`basegate retention plan|run`: what the rules of the settings keep, and removing what they do not."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import click

from policy.administration.folder_gate import gate_of
from policy.enforcement.marks import marks_of
from registry.administration import retention as acts
from registry.administration.act import Holdings
from registry.cli.command_audit import note, record_lines
from registry.cli.data_folder import settings_of, yes_option
from registry.cli.output import json_option, print_json
from registry.cli.place import Place, confirm, placed
from registry.content.retention import Plan, Retention, open_retention, plan_from_json, plan_of
from registry.content.retention_plan import Unkept
from registry.maintenance.retention_schedule import lines_of
from registry.oci.errors import OciError
from registry.oci.names import RepositoryName

_SHOWN = 50
Item = Mapping[str, str]
"""What no rule keeps: `registry.content.retention_plan.Unkept` as a document."""


def _name(_context: click.Context, _option: click.Parameter, value: str) -> RepositoryName | None:
    try:
        return RepositoryName.parse(value) if value else None
    except OciError as error:
        raise click.BadParameter(error.message) from error


@click.group("retention")
def retention_group() -> None:
    """What is kept of repositories, by rules of the settings of a data folder, or of the server at HOST:PORT."""


@retention_group.command("plan")
@placed()
@click.option(
    "--repository", default="", metavar="NAME", callback=_name, help="Of this repository, and why each thing is kept."
)
@json_option
def plan_command(place: Place, *, repository: RepositoryName | None, as_json: bool) -> None:
    """Tell what no rule keeps, and what `basegate retention run` would remove of it. Nothing is changed."""
    if repository:
        _explain(place.do(acts.explain_retention(_retention, repository)), as_json=as_json)
        return
    document = place.do(acts.plan_retention(_retention))
    if as_json:
        print_json(document)
        return
    unkept: list[Item] = document["unkept"]
    for item in unkept[:_SHOWN]:
        click.echo(_line(item))
    if len(unkept) > _SHOWN:
        click.echo(f"and {len(unkept) - _SHOWN} more: --json tells all")
    for number, count in sorted(document["kept"].items(), key=lambda each: int(each[0])):
        click.echo(f"rule {number} keeps {count} tags and manifests")
    removed = [item for item in unkept if item["action"] == "delete"]
    click.echo(f"nothing keeps {_counted(unkept)}; a run removes {_counted(removed)}")


@retention_group.command("run")
@placed(action="retention.run")
@click.option(
    "--plan",
    "planned",
    type=click.File("rb"),
    help="A plan that `basegate retention plan --json` wrote; refused when the state is another by now.",
)
@yes_option
@json_option
def run_command(place: Place, *, planned: BinaryIO | None, yes: bool, as_json: bool) -> None:
    """Remove what a plan says: what no rule keeps where the rule has `else: delete`.

    It goes to the trash: `basegate trash restore RUN` brings it back, as long as gc.undo_seconds says.
    """
    plan = _confirmed(place, None if planned is None else plan_from_json(planned.read()), yes=yes)
    report = place.do(acts.run_retention(_retention, plan, _tell))
    note(run=report["run"], removed=str(len(report["removed"])))
    if as_json:
        print_json(report)
        return
    for item in report["spared"][:_SHOWN]:
        click.echo(f"stays, since its repository changed meanwhile: {_line(item)}")
    click.echo(f"removed {_counted(report['removed'])}" + (f" ({report['run']})" if report["run"] else ""))


def _confirmed(place: Place, plan: Plan | None, *, yes: bool) -> Plan | None:
    """The plan that somebody has agreed to; `None` for whatever is planned when it is run."""
    if yes:
        return plan
    shown = plan or plan_of(place.do(acts.plan_retention(_retention)))
    if shown.removed:
        confirm(f"Remove {_counted([{'tag': item.tag} for item in shown.removed])}?", yes=False)
    return shown


def _retention(holdings: Holdings) -> Retention:
    return open_retention(holdings.metadata, holdings.settings, marks_of(gate_of(holdings)))


def _tell(run: str, gone: Sequence[Unkept]) -> None:
    note(run=run)
    record_lines(settings_of(click.get_current_context()), list(lines_of(run, gone)))


def _explain(judged: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(judged)
        return
    for name, why in judged["kept"].items():
        click.echo(f"kept {name}: {why}")
    for item in judged["unkept"]:
        click.echo(_line(item))


def _line(item: Item) -> str:
    what = f"{item['repository']}:{item['tag']} ({item['digest']})" if item["tag"] else _untagged(item)
    return f"{item['action']} {what}: {item['reason']}"


def _untagged(item: Item) -> str:
    return f"{item['repository']}@{item['digest']}"


def _counted(items: Sequence[Item]) -> str:
    counts = Counter(bool(item["tag"]) for item in items)
    return f"{counts[True]} tags and {counts[False]} manifests"
