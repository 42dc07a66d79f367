"""`basegate policy …`: list, show, replay and activate policies; exemptions; in a data folder or on a server."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click

from policy.administration import acts
from policy.administration.acts import ChosenPolicy
from policy.assessment.settings import JudgingSettings
from policy.definition.policy import Policy, known_policies, named_policy, parse_policy, read_policy
from policy.enforcement.exemptions import EXEMPTED, new_exemption
from policy.enforcement.judging_stores import JudgingStores, open_judging
from policy.settings import judging_section
from registry.cli.command_audit import note
from registry.cli.data_folder import NoRegistry, log_to_stderr, require_registry, settings_of
from registry.cli.output import json_option, print_json
from registry.cli.place import Folder, Place, Word, placed
from registry.cli.table import age, print_table
from registry.config.settings import RegistrySettings

_POLICY = Word("policy", "POLICY")
_EXEMPTION = Word("exemption", "EXEMPTION")
_repositories = click.option(
    "--repositories", default="*", show_default=True, metavar="PATTERN", help="Where it counts; * is everywhere."
)


@click.group("policy")
def policy_group() -> None:
    """Policies: list, show, replay over the store, activate; exemptions."""


@policy_group.command("list")
@placed()
@json_option
def list_command(place: Place, *, as_json: bool) -> None:
    """List the known policies, and where each is in force."""
    rows = place.do(acts.list_policies())["policies"]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['name']}  {row['digest'][:19]}  {row['title']}")
        for at in row["in_force"]:
            counts = ", ".join(f"{number} {state}" for state, number in row["verdicts"].items()) or "nothing judged"
            click.echo(f"    in force for {at['repositories']} (mode {at['mode']}), {at['why']}: {counts}")


@policy_group.command("show")
@placed(_POLICY)
@json_option
def show_command(place: Place, policy: str, *, as_json: bool) -> None:
    """Show POLICY, a name or a file: source, digest and what each rule needs."""
    document = _shown(place, policy)
    if as_json:
        print_json(document)
        return
    content = {name: value for name, value in document.items() if name != "digest"}
    shown = parse_policy(content, policy)
    head = shown.document
    click.echo(f"{shown.name}: {head.title}\ndigest: {document['digest']}\nsubject: {head.subject.strip()}")
    click.echo(f"source: {head.source.document}, {head.source.date} {head.source.url}".rstrip())
    for rule in shown.rules:
        click.echo(f"  {rule.name}: needs {rule.needs}{' (a warning only)' if rule.soft else ''}")


@policy_group.command("replay")
@placed(_POLICY)
@_repositories
@json_option
def replay_command(place: Place, policy: str, *, repositories: str, as_json: bool) -> None:
    """Say what would change if POLICY (a name or a file) were put into force. Nothing is changed."""
    replayed = place.do(acts.replay_policy(_chosen(policy), repositories))
    if as_json:
        print_json(replayed)
    else:
        _show_replay(replayed)


@policy_group.command("activate")
@placed(_POLICY, action="policy.activate")
@_repositories
@json_option
def activate_command(place: Place, policy: str, *, repositories: str, as_json: bool) -> None:
    """Put POLICY (a name or a file) into force: judge everything first, then switch at once."""
    done = place.do(acts.activate_policy(_chosen(policy), repositories))
    note(policy_digest=done["digest"])
    if as_json:
        print_json(done)
        return
    click.echo(f"{done['name']} is in force for {done['repositories']}: {done['judged']} manifests judged")


@policy_group.command("deactivate")
@placed(action="policy.deactivate")
@_repositories
@json_option
def deactivate_command(place: Place, *, repositories: str, as_json: bool) -> None:
    """Undo `policy activate` for a pattern: judge everything first, then let the settings count again."""
    done = place.do(acts.deactivate_policy(repositories))
    if as_json:
        print_json(done)
        return
    click.echo(f"no policy is active by command for {repositories} any more; in force are:")
    for pattern, name in done["in_force"].items():
        click.echo(f"    {name} for {pattern}, {done['reasons'][pattern]}")


@policy_group.command("exempt")
@placed(action="policy.exempt")
@click.option("--repositories", required=True, metavar="PATTERN", help="Where it holds; * is everywhere.")
@click.option("--rule", required=True, type=click.Choice(EXEMPTED), help="Which rule.")
@click.option("--owner", required=True, help="Who answers for it.")
@click.option("--reason", required=True, help="Why.")
@click.option("--until", required=True, help="When it ends: 2026-01-31 or 2026-01-31T12:00:00Z (UTC).")
@click.option("--digest", default="", help="For one manifest only.")
@json_option
def exempt_command(  # noqa: PLR0913 - one per option
    place: Place,
    *,
    repositories: str,
    rule: str,
    owner: str,
    reason: str,
    until: str,
    digest: str,
    as_json: bool,
) -> None:
    """Let what fails a rule pass with a warning until a date."""
    wanted = new_exemption(repositories=repositories, digest=digest, rule=rule, owner=owner, reason=reason, until=until)
    made = place.do(acts.make_exemption(wanted, until))
    note(exemption=made["id"])
    if as_json:
        print_json(made)
    else:
        click.echo(
            f"exemption {made['id']} holds until {made['expires']}; end it with: basegate policy revoke {made['id']}"
        )


@policy_group.command("exemptions")
@placed()
@json_option
def exemptions_command(place: Place, *, as_json: bool) -> None:
    """List the exemptions, those that have ended too."""
    exemptions = place.do(acts.list_exemptions())["exemptions"]
    if as_json:
        print_json(exemptions)
        return
    rows = [
        (
            each["id"],
            f"{each['repositories']}{'@' + each['digest'] if each['digest'] else ''}",
            each["rule"],
            f"{each['expires']}{' (ended ' + age(each['expires']) + ' ago)' if each['ended'] else ''}",
            each["owner"],
            each["reason"],
        )
        for each in exemptions
    ]
    print_table(("EXEMPTION", "FOR", "RULE", "UNTIL", "OWNER", "REASON"), rows)


@policy_group.command("revoke")
@placed(_EXEMPTION, action="policy.revoke")
@json_option
def revoke_command(place: Place, exemption: str, *, as_json: bool) -> None:
    """End EXEMPTION now."""
    ended = place.do(acts.end_exemption(exemption))
    if as_json:
        print_json(ended)
    else:
        click.echo(f"exemption {exemption} has ended")


def judging_settings() -> JudgingSettings:
    """The judging settings of the running command. Raises SettingsError."""
    return judging_section(settings_of(click.get_current_context()))


@contextmanager
def opened_judging(settings: RegistrySettings) -> Iterator[JudgingStores]:
    """What is judged by in a registry's data folder, until the block ends."""
    log_to_stderr()
    require_registry(settings.data)
    with closing(open_judging(settings)) as opened:
        yield opened


def chosen_policy(policy: str, settings: JudgingSettings) -> Policy:
    """The policy that a name or a file means. Raises PolicyRefused."""
    return _chosen(policy).read or named_policy(known_policies(settings.folder), policy)


def _chosen(policy: str) -> ChosenPolicy:
    """By its name, or read from a file. Raises PolicyRefused."""
    if policy.endswith((".yaml", ".yml", ".json")) or "/" in policy:
        return ChosenPolicy(read=read_policy(Path(policy)))
    return ChosenPolicy(policy)


def _shown(place: Place, policy: str) -> dict[str, Any]:
    """A file, and a policy that comes with the program, need no registry."""
    read = _chosen(policy).read
    if read is None:
        try:
            document: dict[str, Any] = place.do(acts.show_policy(policy))
        except NoRegistry:
            if not isinstance(place, Folder):
                raise
            read = chosen_policy(policy, judging_settings())
        else:
            return document
    return {"name": read.name, "digest": read.digest, **read.content}


def _show_replay(replayed: dict[str, Any]) -> None:
    counts = ", ".join(f"{number} {state}" for state, number in replayed["after"].items())
    flips = replayed["flips"]
    click.echo(f"{replayed['policy']} over {replayed['looked_at']} manifests: {counts}; {len(flips)} would change")
    for flip in flips:
        click.echo(f"  {_at(flip)}: {flip['before']} -> {flip['after']}")
        for reason in flip["reasons"]:
            click.echo(f"      {reason}")
    if replayed["unknown"]:
        click.echo(f"{replayed['unknown']} manifests have not been inspected yet")


def _at(flip: dict[str, Any]) -> str:
    if flip["tags"]:
        return ", ".join(f"{flip['repository']}:{tag}" for tag in flip["tags"])
    return f"{flip['repository']}@{flip['digest']}"
