"""`basegate retention`: what docs/retention.md shows, and what the rules say of verdicts and exemptions."""

import json
import re
import shlex
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from policy.settings import Settings
from registry.oci.names import RepositoryName, Tag
from registry.server.settings_in_use import record
from tests.architecture.source import ROOT
from tests.policy.images_made import bad, good
from tests.policy.lab import Lab, open_lab

PAGE = (ROOT / "docs" / "retention.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ {4}basegate (.+?)(?: {3,}.*)?$", PAGE, re.MULTILINE)
GOOD, BAD = Tag("good"), Tag("bad")


@pytest.fixture(name="lab")
def _lab(tmp_path: Path) -> Iterator[Lab]:
    """A registry with a cleared image and a refused one."""
    with open_lab(tmp_path / "data") as opened:
        opened.pushed(good(), GOOD)
        opened.pushed(bad(), BAD)
        yield opened


def settings(lab: Lab, *keep: dict[str, Any], **more: Any) -> list[str]:
    """Options that name the folder, and a file with one rule."""
    file = lab.data.parent / "settings.yaml"
    file.write_text(json.dumps({"retention": {"rules": [{"keep": keep, "else": "delete"}]}} | more))
    return ["--data", str(lab.data), "--config", str(file)]


def run(*words: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(basegate, list(words))


def unkept(lab: Lab, *keep: dict[str, Any]) -> list[str]:
    """The tags that a rule does not keep."""
    result = run("retention", "plan", "--json", *settings(lab, *keep))
    assert result.exit_code == 0, result.output
    return [item["tag"] for item in json.loads(result.stdout)["unkept"] if item["tag"]]


@pytest.mark.parametrize(("word", "gone"), [("cleared", ["bad"]), ("refused", ["good"]), ("exempt", ["bad", "good"])])
def test_verdicts_keep(lab: Lab, word: str, gone: list[str]) -> None:
    """Those of the policy in force."""
    assert unkept(lab, {"marked": [word]}) == gone


def test_an_exemption_keeps_while_it_stands(lab: Lab) -> None:
    """Until its end, or until it is revoked."""
    until = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    words = f"policy exempt --repositories * --rule * --owner ann --reason moves --until {until} --json"
    made = run(*words.split(), "--data", str(lab.data))
    assert unkept(lab, {"marked": ["exempt"]}) == ["good"]
    assert run("policy", "revoke", json.loads(made.stdout)["id"], "--data", str(lab.data)).exit_code == 0
    assert unkept(lab, {"marked": ["exempt"]}) == ["bad", "good"]


def test_a_strange_word_is_refused(lab: Lab) -> None:
    """With those that are known."""
    result = run("retention", "plan", *settings(lab, {"marked": ["clear"]}))
    assert (result.exit_code, "known is cleared, exempt" in result.stderr) == (2, True)


def test_a_repository_that_is_not_there_is_told(lab: Lab) -> None:
    """Whether or not a rule would match it."""
    absent = ["retention", "plan", "--repository", "team/absent"]
    for options in (settings(lab, {"tags": ["good"]}), ["--data", str(lab.data)]):
        result = run(*absent, *options)
        assert (result.exit_code, "no repository team/absent" in result.stderr) == (2, True)


def test_a_repository_that_no_rule_matches_is_told(lab: Lab) -> None:
    """It is there, and left alone."""
    result = run("retention", "plan", "--repository", "team/app", "--data", str(lab.data))
    assert (result.exit_code, "no rule of retention matches team/app" in result.stderr) == (2, True)


def test_a_run_asks_first(lab: Lab) -> None:
    """Without --yes."""
    options = settings(lab, {"tags": ["good"]})
    refused = CliRunner().invoke(basegate, ["retention", "run", *options], input="n\n")
    assert "Remove 1 tags and 1 manifests?" in refused.output
    assert run("tag", "show", "team/app:bad", *options).exit_code == 0
    assert run("retention", "run", "--yes", *options).exit_code == 0
    assert run("tag", "show", "team/app:bad", *options).exit_code == 2


def test_each_thing_that_is_removed_is_audited(lab: Lab) -> None:
    """And the command itself, with the run that the trash knows; the chain is whole."""
    assert run("retention", "run", "--yes", *settings(lab, {"tags": ["good"]})).exit_code == 0
    lines = [json.loads(line) for line in (lab.data / "audit" / "audit.log").read_text().splitlines()]
    assert [(line["action"], line["reference"]) for line in lines] == [
        ("retention.delete", "bad"),
        ("retention.delete", bad().digest),
        ("retention.run", ""),
    ]
    assert lines[0]["detail"] in lines[2]["detail"]
    assert run("audit", "verify", "--data", str(lab.data)).exit_code == 0


def test_a_run_that_fails_has_lines_of_what_it_has_removed(lab: Lab) -> None:
    """Repository by repository: here the second cannot be changed."""
    lab.pushed(bad(), BAD, RepositoryName("team/b"))
    with sqlite3.connect(lab.data / "registry.db") as rows:
        rows.execute(
            "CREATE TRIGGER full BEFORE INSERT ON trash WHEN NEW.repository = 'team/b' "
            "BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    assert run("retention", "run", "--yes", *settings(lab, {"tags": ["good"]})).exit_code != 0
    lines = [json.loads(line) for line in (lab.data / "audit" / "audit.log").read_text().splitlines()]
    assert [(line["action"], line["repository"]) for line in lines[:-1]] == [("retention.delete", "team/app")] * 2
    assert lines[0]["detail"] in lines[-1]["detail"]


def test_a_plan_of_before_is_refused(lab: Lab) -> None:
    """Exit code 2, and nothing is gone."""
    options = settings(lab, {"tags": ["good"]})
    plan = lab.data.parent / "plan.json"
    plan.write_text(run("retention", "plan", "--json", *options).stdout)
    lab.pushed(good(), Tag("another"))
    result = run("retention", "run", "--plan", str(plan), "--yes", *options)
    assert (result.exit_code, "is older than the state" in result.stderr) == (2, True)
    assert run("tag", "show", "team/app:bad", *options).exit_code == 0


def test_the_settings_of_the_page_are_settings() -> None:
    """Every line of them."""
    (text,) = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    rules = Settings.model_validate(yaml.safe_load(text)).retention.rules
    assert [(rule.otherwise, len(rule.keep)) for rule in rules] == [("delete", 5), ("report", 1)]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_ends_with_0(lab: Lab, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a person would run it."""
    monkeypatch.chdir(lab.data.parent)
    lab.pushed(good(), Tag("v1"), RepositoryName("team/old"))
    options = settings(lab, {"tags": ["good"]})[2:]
    Path("plan.json").write_text(run("retention", "plan", "--json", "--data", "data", *options).stdout)
    words, _, out = command.partition(" > ")
    if "RUN" in words:
        made = run("retention", "run", "--yes", "--json", "--data", "data", *options)
        words = words.replace("RUN", json.loads(made.stdout)["run"])
    result = run(*shlex.split(words), *options)
    assert result.exit_code == 0, result.output
    assert not out or json.loads(result.stdout)["unkept"]


def test_the_rules_of_the_server_count_for_commands(lab: Lab) -> None:
    """Where they are given no settings file."""
    rule = {"keep": [{"tags": ["good"]}], "else": "delete"}
    record(Settings.model_validate({"data": lab.data, "retention": {"rules": [rule]}}))
    planned = json.loads(run("retention", "plan", "--json", "--data", str(lab.data)).stdout)
    assert [(item["tag"], item["action"]) for item in planned["unkept"] if item["tag"]] == [("bad", "delete")]
