"""Advice on one image: each finding against it gets the nearest change, derived from all its facts.

All changes together clear the image; each is needed.
"""

from collections.abc import Sequence
from dataclasses import replace

from policy.advice.acts import ChangeBuilder
from policy.advice.environments import planned
from policy.advice.wanted import Wanted
from policy.inspection.facts import ImageFacts
from policy.rules import Rule
from policy.rules.change import Action, Change, fix_of
from policy.rules.conda_version import CondaVersion
from policy.rules.findings import Finding
from policy.rules.os_version import OsVersion
from policy.rules.posix_shell import PosixShell
from policy.rules.python_version import PythonVersion


def advised(findings: Sequence[Finding], facts: ImageFacts, rules: Sequence[Rule]) -> tuple[Finding, ...]:
    """The findings; where one has a `fix`, the derived fix and its changes replace it.

    Args:
        findings: those of other rules than `rules` pass through.
        facts: the facts that the findings are about.
        rules: the rules of the policy.
    """
    if not any(item.fix for item in findings):
        return tuple(findings)
    environment = next((fact.value for fact in facts.facts if fact.subject == "environment"), {})
    builder = ChangeBuilder(environment.get("User", ""))
    plan = planned(facts, Wanted.of(rules), builder)
    made = {CondaVersion.name: tuple(plan.conda), PythonVersion.name: tuple(plan.python)}
    for rule in rules:
        if isinstance(rule, OsVersion):
            made[rule.name] = (_system(rule, facts, builder),)
        elif isinstance(rule, PosixShell):
            made[rule.name] = (_shell(rule),)
    return tuple(_with(item, made.get(item.rule, ())) if item.fix else item for item in findings)


def _with(finding: Finding, changes: tuple[Change, ...]) -> Finding:
    return replace(finding, fix=fix_of(changes), changes=changes) if changes else finding


def _system(rule: OsVersion, facts: ImageFacts, builder: ChangeBuilder) -> Change:
    for fact in facts.facts:
        if fact.subject == "os" and "denied" in fact.value:
            return builder.permit(fact.value["denied"], "so that its operating system can be read")
        if fact.subject == "os" and fact.judged and "config_os" in fact.value:
            lines = (f"FROM --platform=linux/amd64 {rule.image}",)
            words = f"build the image for Linux, from {rule.needs}"
            return Change(Action.BASE, words, lines, {"image": rule.image, "id": rule.id, "version": rule.minimum})
    about = {"image": rule.image, "id": rule.id, "version": rule.minimum}
    return Change(Action.BASE, f"start the image from {rule.needs}", (f"FROM {rule.image}",), about)


def _shell(rule: PosixShell) -> Change:
    words = f"install a POSIX shell so that {rule.path} is an executable file"
    return Change(Action.INSTALL, words, (), {"package": "shell", "path": rule.path})
