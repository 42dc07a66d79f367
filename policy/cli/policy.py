"""`basegate policy …`: list, show, replay and activate policies; exemptions."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from policy.assessment.settings import JudgingSettings
from policy.definition.policy import Policy, known_policies, named_policy, parse_policy, read_policy
from policy.enforcement.activation import activate, deactivate
from policy.enforcement.assignments import AssignmentsInForce, Reason
from policy.enforcement.exemptions import Exemption
from policy.enforcement.operator_file import FILE as ORDERS
from policy.enforcement.operator_file import OperatorFileInForce, OperatorFileRefused, change_orders, read_orders
from policy.enforcement.replay import Flip, Replay, replay
from policy.results import verdicts
from policy.results.store import FILE as RESULTS
from policy.results.store import ResultStore
from policy.rules import RULES
from policy.settings import judging_section
from registry.cli.command_audit import audited, note
from registry.cli.data_folder import (
    data_option,
    json_option,
    log_to_stderr,
    moment,
    print_json,
    require_registry,
    run_query,
    settings_of,
)
from registry.metadata.reachability import stored_names

_repositories = click.option(
    "--repositories", default="*", show_default=True, metavar="PATTERN", help="Where it counts; * is everywhere."
)


@click.group("policy")
def policy_group() -> None:
    """Policies: list, show, replay over the store, activate; exemptions."""


@policy_group.command("list")
@data_option
@json_option
def list_command(data: Path, *, as_json: bool) -> None:
    """List the known policies, and where each is in force."""
    settings = judging_settings()
    rows = _listed(settings, data)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['name']}  {row['digest'][:19]}  {row['title']}")
        for place in row["in_force"]:
            counts = ", ".join(f"{number} {state}" for state, number in row["verdicts"].items()) or "nothing judged"
            click.echo(f"    in force for {place['repositories']} (mode {place['mode']}), {place['why']}: {counts}")


@policy_group.command("show")
@click.argument("policy")
@data_option
@json_option
def show_command(policy: str, data: Path, *, as_json: bool) -> None:
    """Show POLICY, a name or a file: source, digest and what each rule needs."""
    shown = _activated(policy, data) or chosen_policy(policy, judging_settings())
    if as_json:
        print_json({"name": shown.name, "digest": shown.digest, **shown.content})
        return
    document = shown.document
    click.echo(f"{shown.name}: {document.title}\ndigest: {shown.digest}\nsubject: {document.subject.strip()}")
    click.echo(f"source: {document.source.document}, {document.source.date} {document.source.url}".rstrip())
    for rule in shown.rules:
        click.echo(f"  {rule.name}: needs {rule.needs}{' (a warning only)' if rule.soft else ''}")


@policy_group.command("replay")
@click.argument("policy")
@_repositories
@data_option
@json_option
def replay_command(policy: str, repositories: str, data: Path, *, as_json: bool) -> None:
    """Say what would change if POLICY (a name or a file) were put into force. Nothing is changed."""
    settings = judging_settings()
    chosen = chosen_policy(policy, settings)
    stored = run_query(data, stored_names)
    with open_results(data) as results:
        bindings = AssignmentsInForce(settings, OperatorFileInForce(data / ORDERS)).current()
        replayed = replay(results, stored, bindings, chosen, repositories)
    if as_json:
        print_json(asdict(replayed))
    else:
        _show_replay(replayed, chosen)


@policy_group.command("activate")
@click.argument("policy")
@_repositories
@data_option
@json_option
@audited("policy.activate")
def activate_command(policy: str, repositories: str, data: Path, *, as_json: bool) -> None:
    """Put POLICY (a name or a file) into force: judge everything first, then switch at once."""
    chosen = chosen_policy(policy, judging_settings())
    with open_results(data) as results:
        judged = activate(data, results, chosen, repositories, time.time())
    note(policy_digest=chosen.digest)
    if as_json:
        print_json({"name": chosen.name, "digest": chosen.digest, "judged": len(judged.states)})
        return
    click.echo(f"{chosen.name} is in force for {repositories}: {len(judged.states)} manifests judged")


@policy_group.command("deactivate")
@_repositories
@data_option
@json_option
@audited("policy.deactivate")
def deactivate_command(repositories: str, data: Path, *, as_json: bool) -> None:
    """Undo `policy activate` for a pattern: judge everything first, then let the settings count again."""
    settings = judging_settings()
    with open_results(data) as results:
        bindings = deactivate(data, results, settings, repositories)
    in_force = {pattern: policy.name for pattern, policy in bindings.by_pattern.items()}
    if as_json:
        print_json({"in_force": in_force})
        return
    click.echo(f"no policy is active by command for {repositories} any more; in force are:")
    for pattern, name in in_force.items():
        click.echo(f"    {name} for {pattern}, {_why(bindings.why(pattern))}")


@policy_group.command("exempt")
@click.option("--repositories", required=True, metavar="PATTERN", help="Where it holds; * is everywhere.")
@click.option("--rule", required=True, type=click.Choice([*(rule.name for rule in RULES), "*"]), help="Which rule.")
@click.option("--owner", required=True, help="Who answers for it.")
@click.option("--reason", required=True, help="Why.")
@click.option("--until", required=True, help="When it ends: 2026-01-31 or 2026-01-31T12:00:00Z (UTC).")
@click.option("--digest", default="", help="For one manifest only.")
@data_option
@json_option
@audited("policy.exempt")
def exempt_command(  # noqa: PLR0913 - one per option
    *, repositories: str, rule: str, owner: str, reason: str, until: str, digest: str, data: Path, as_json: bool
) -> None:
    """Let what fails a rule pass with a warning until a date."""
    made = Exemption(secrets.token_hex(4), repositories, digest, rule, owner, reason, _moment(until))
    require_registry(data)
    change_orders(data / ORDERS, lambda orders: orders.with_exemption(made))
    note(exemption=made.id)
    if as_json:
        print_json(asdict(made))
    else:
        click.echo(f"exemption {made.id} holds until {made.until}; end it with: basegate policy revoke {made.id}")


@policy_group.command("exemptions")
@data_option
@json_option
def exemptions_command(data: Path, *, as_json: bool) -> None:
    """List the exemptions, those that have ended too."""
    require_registry(data)
    exemptions = OperatorFileInForce(data / ORDERS).current().exemptions
    if as_json:
        print_json([asdict(item) for item in exemptions])
        return
    for item in exemptions:
        ended = " (ended)" if item.expires <= time.time() else ""
        place = f"{item.repositories}{f'@{item.digest}' if item.digest else ''}"
        click.echo(f"{item.id}  {place}  {item.rule}  until {item.until}{ended}  {item.owner}: {item.reason}")


@policy_group.command("revoke")
@click.argument("exemption")
@data_option
@audited("policy.revoke")
def revoke_command(exemption: str, data: Path) -> None:
    """End EXEMPTION now."""
    require_registry(data)
    change_orders(data / ORDERS, lambda orders: orders.without_exemption(exemption))
    click.echo(f"exemption {exemption} has ended")


def judging_settings() -> JudgingSettings:
    """The judging settings of the running command. Raises SettingsError."""
    return judging_section(settings_of(click.get_current_context()))


@contextmanager
def open_results(data: Path) -> Iterator[ResultStore]:
    """policy.db of a registry's data folder."""
    log_to_stderr()
    require_registry(data)
    results = ResultStore(data / RESULTS)
    try:
        yield results
    finally:
        results.close()


def chosen_policy(policy: str, settings: JudgingSettings) -> Policy:
    """The policy that a name or a file means. Raises PolicyRefused."""
    if policy.endswith((".yaml", ".yml", ".json")) or "/" in policy:
        return read_policy(Path(policy))
    return named_policy(known_policies(settings.folder), policy)


def _activated(name: str, data: Path) -> Policy | None:
    """A policy that was activated by command; its file may be gone."""
    orders = read_orders(data / ORDERS).activations
    order = next((item for item in orders if item.name == name), None)
    return None if order is None else parse_policy(order.content, f"{name} (activated by command)")


def _listed(settings: JudgingSettings, data: Path) -> list[dict[str, Any]]:
    with open_results(data) as results:
        bindings = AssignmentsInForce(settings, OperatorFileInForce(data / ORDERS)).current()
        policies = {item.digest: item for item in (*known_policies(settings.folder).values(), *bindings.policies)}
        return [
            {
                "name": item.name,
                "digest": item.digest,
                "title": item.document.title,
                "date": item.document.source.date,
                "in_force": [
                    {
                        "repositories": pattern,
                        "mode": bindings.mode_of(pattern).value,
                        "by": "settings" if bindings.why(pattern).since is None else "command",
                        "why": _why(bindings.why(pattern)),
                    }
                    for pattern, bound in bindings.by_pattern.items()
                    if bound.digest == item.digest
                ],
                "verdicts": {
                    state.value: number for state, number in results.read(verdicts.totals, item.digest).items()
                },
            }
            for item in policies.values()
        ]


def _why(reason: Reason) -> str:
    if reason.since is None:
        return f"by the setting {reason.setting}"
    undone = f"{reason.setting} says {reason.settled}" if reason.settled else "the settings say nothing of it"
    return f"by `policy activate` since {moment(reason.since)}, whatever the settings say ({undone})"


def _show_replay(replayed: Replay, policy: Policy) -> None:
    counts = ", ".join(f"{number} {state}" for state, number in replayed.after.items())
    click.echo(f"{policy.name} over {replayed.looked_at} manifests: {counts}; {len(replayed.flips)} would change")
    for flip in replayed.flips:
        click.echo(f"  {_place(flip)}: {flip.before} -> {flip.after}")
        for reason in flip.reasons:
            click.echo(f"      {reason}")
    if replayed.unknown:
        click.echo(f"{replayed.unknown} manifests have not been inspected yet")


def _place(flip: Flip) -> str:
    if flip.tags:
        return ", ".join(f"{flip.repository}:{tag}" for tag in flip.tags)
    return f"{flip.repository}@{flip.digest}"


def _moment(text: str) -> float:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise OperatorFileRefused(f"--until is {text!r}: needs a date such as 2026-01-31") from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
