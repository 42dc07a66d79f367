"""`basegate audit verify`: whether the audit log is as it was written."""

from dataclasses import asdict
from pathlib import Path

import click

from registry.cli.data_folder import data_option, require_registry, settings_of
from registry.cli.output import json_option, print_json
from registry.maintenance.audit_check import AuditFinding, AuditReport, check_audit_log
from registry.storage.disk.ownership import act_as_owner
from registry.telemetry.audit_chain import ChainEnd, end_in_words

_SHOWN = 100


def _end(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[ChainEnd, ...]:
    ends = [end_in_words(value) for value in values]
    if None in ends:
        raise click.BadParameter("needs a head as `basegate audit verify` tells it: NUMBER:HASH")
    return tuple(end for end in ends if end is not None)


@click.group("audit")
def audit_group() -> None:
    """The audit log of a data folder."""


@audit_group.command("verify")
@click.option("--head", "known", multiple=True, callback=_end, help="A head that an earlier check has told.")
@data_option
@json_option
@click.pass_context
def verify_audit(context: click.Context, known: tuple[ChainEnd, ...], data: Path, *, as_json: bool) -> None:
    """Find lines that were changed, moved, added or taken out, beside a running server.

    Exit code 0: each line is as it was written. 1: one is not, or lines are missing. 2: it could not be told.
    """
    require_registry(data)
    act_as_owner(data)
    report = check_audit_log(data / settings_of(context).audit.file, known)
    if as_json:
        print_json(_document(report))
    else:
        _tell(report)
    context.exit(1 if report.findings else 0)


def _document(report: AuditReport) -> dict[str, object]:
    begins = None
    if report.begins is not None:
        begins = {"file": report.begins[0], "line": report.begins[1], "sequence": report.first}
    return {
        "files": report.files,
        "lines": report.lines,
        "before": report.before,
        "begins": begins,
        "head": None if report.head is None else str(report.head),
        "findings": [asdict(item) for item in report.findings],
    }


def _tell(report: AuditReport) -> None:
    for item in report.findings[:_SHOWN]:
        click.echo(_sentence(item))
    if len(report.findings) > _SHOWN:
        click.echo(f"and {len(report.findings) - _SHOWN} more: --json tells all")
    if report.before:
        click.echo(f"{report.before} lines are of before the chain: nothing can be told of them")
    if report.begins is None or report.head is None:
        click.echo("no line is of the chain")
        return
    file, number = report.begins
    older = f"; lines 1 to {report.first - 1} are not kept" if report.first > 1 else ""
    click.echo(f"the chain begins at {file}:{number} with line {report.first}{older}")
    what = f"{len(report.findings)} things are wrong" if report.findings else "each is as it was written"
    click.echo(f"{report.lines} lines in {len(report.files)} files: {what}")
    click.echo(f"head {report.head}")


def _sentence(item: AuditFinding) -> str:
    return f"{item.file}:{item.line}: {item.message}" if item.file else item.message
