"""`basegate policy` and `basegate inspect` on a data folder, beside a registry that is open meanwhile."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from policy.state import State
from registry.oci.errors import Denied
from tests.policy.images_made import artifact, bad, good, index
from tests.policy.lab import (
    READER,
    TEAM,
    V1,
    Clock,
    Lab,
    open_lab,
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A registry that enforces the default policy, with a bad image in it."""
    with open_lab(tmp_path / "data", Clock(time.time())) as opened:
        opened.pushed(bad())
        yield opened


def command(lab: Lab, *words: str) -> Result:
    """Run a command on the registry's data folder."""
    return CliRunner().invoke(basegate, [*words, "--data", str(lab.data)])


def answer(lab: Lab, *words: str) -> Any:
    """The JSON a command prints."""
    found = command(lab, *words, "--json")
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def is_served(lab: Lab) -> bool:
    """Whether a reader gets the bad image; other processes' orders are noticed within a second."""
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        try:
            lab.run(lab.manifests.pull(READER, TEAM, V1))
        except Denied:
            time.sleep(0.05)
        else:
            return True
    return False


def is_withheld(lab: Lab) -> bool:
    """Whether a reader does not get the bad image any more, within a second."""
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        try:
            lab.run(lab.manifests.pull(READER, TEAM, V1))
        except Denied:
            return True
        time.sleep(0.05)
    return False


def test_list_shows_what_is_in_force(lab: Lab) -> None:
    """The default policy is in force everywhere and has judged one image."""
    lab.results.write(lambda _connection: None)
    rows = {row["name"]: row for row in answer(lab, "policy", "list")}
    assert rows["azureml-2019-07"]["in_force"] == [
        {"repositories": "*", "mode": "enforce", "by": "settings", "why": "by the setting policy.name"}
    ]
    assert rows["azureml-2019-07"]["verdicts"] == {"refused": 1}
    assert rows["azureml-2020-09"]["in_force"] == []


def test_list_counts_what_is_there(lab: Lab) -> None:
    """An image that was removed is counted no more."""
    lab.results.write(lambda _connection: None)
    assert command(lab, "manifest", "rm", f"{TEAM}:{V1}", "--yes").exit_code == 0
    rows = {row["name"]: row for row in answer(lab, "policy", "list")}
    assert rows["azureml-2019-07"]["verdicts"] == {}


def test_an_exemption_that_is_over(lab: Lab) -> None:
    """Is refused, and says so."""
    words = ["--repositories", "*", "--rule", "*", "--owner", "ann", "--reason", "late", "--until", "2020-01-31"]
    told = command(lab, "policy", "exempt", *words)
    assert (told.exit_code, "which is over" in told.stderr) == (2, True)
    assert answer(lab, "policy", "exemptions") == []


def test_show_says_what_is_needed(lab: Lab) -> None:
    """A person reads the rules with their source."""
    text = command(lab, "policy", "show", "azureml-2020-11").output
    assert "python-version: needs 3.6 or newer" in text
    assert "2020-11-16" in text


def test_replay_says_what_would_change_and_changes_nothing(lab: Lab) -> None:
    """The bad image would be cleared by the later policy; it is refused still."""
    found = answer(lab, "policy", "replay", "azureml-2020-09")
    flip = found["flips"][0]
    assert (found["looked_at"], flip["repository"], flip["tags"]) == (1, "team/app", ["v1"])
    assert (flip["before"], flip["after"]) == ("refused", "cleared")
    with pytest.raises(Denied):
        lab.run(lab.manifests.pull(READER, TEAM, V1))


def test_replay_of_a_file_names_the_reasons(lab: Lab, tmp_path: Path) -> None:
    """A stricter policy out of a file says why an image would be refused."""
    lab.pushed(good(), None)
    strict = Path("config/policy/azureml-2019-07.yaml").read_text(encoding="utf-8").replace('"4.5"', '"4.6"')
    (tmp_path / "strict.yaml").write_text(strict, encoding="utf-8")
    text = command(lab, "policy", "replay", str(tmp_path / "strict.yaml")).output
    assert "cleared -> refused" in text
    assert "Conda 4.5.12 found at" in text


def test_activation_is_followed_by_the_running_registry(lab: Lab) -> None:
    """The policy is switched from another process; the registry serves by the new one within a second."""
    opened = lab.gate.inspector.workers.counters.bytes_opened
    assert answer(lab, "policy", "activate", "azureml-2020-09")["judged"] == 1
    assert is_served(lab)
    assert lab.verdict(bad().digest).policy_name == "azureml-2020-09"
    assert lab.gate.inspector.workers.counters.bytes_opened == opened


def test_activation_for_a_pattern_leaves_others_alone(lab: Lab) -> None:
    """A policy that was put into force for other repositories does not count here."""
    answer(lab, "policy", "activate", "azureml-2020-09", "--repositories", "lab/*")
    assert not is_served(lab)


def test_activation_survives_a_lost_results(lab: Lab, tmp_path: Path) -> None:
    """What people ordered is not kept in policy.db."""
    answer(lab, "policy", "activate", "azureml-2020-09")
    lab.close()
    for path in (tmp_path / "data").glob("policy.db*"):
        path.unlink()
    with open_lab(tmp_path / "data") as again:
        assert again.verdict(bad().digest).state is State.CLEARED


@pytest.mark.parametrize("rule", ["python-version", "*"])
def test_an_exemption_opens_the_door_with_a_warning(lab: Lab, rule: str) -> None:
    """Until it is revoked, readers are served and told who answers for it."""
    words = ("--rule", rule, "--owner", "ann", "--reason", "lab week", "--until", "2999-01-01")
    made = answer(lab, "policy", "exempt", "--repositories", "team/*", *words)
    assert is_served(lab)
    warning = lab.run(lab.manifests.pull(READER, TEAM, V1)).warnings[0]
    assert "exempted until 2999-01-01T00:00:00Z by ann: lab week" in warning
    assert command(lab, "policy", "revoke", made["id"]).exit_code == 0
    assert answer(lab, "policy", "exemptions") == []


def test_an_exemption_for_another_rule_changes_nothing(lab: Lab) -> None:
    """Every failure needs its own exemption."""
    words = ("--rule", "conda-version", "--owner", "ann", "--reason", "r", "--until", "2999-01-01")
    answer(lab, "policy", "exempt", "--repositories", "*", *words)
    assert not is_served(lab)


def test_inspect_prints_the_verdict(lab: Lab) -> None:
    """A person sees every finding."""
    text = command(lab, "inspect", "team/app:v1").output
    assert text.startswith("team/app:v1: refused by policy azureml-2019-07")
    assert "fail  python-version: Python 3.7.0 found" in text


def test_inspect_again_reads_the_layers_again(lab: Lab) -> None:
    """Another process forgets and looks; the verdict is the same, and the running registry forgets too."""
    before = lab.gate.generation()
    said = lab.verdict(bad().digest).document()
    assert answer(lab, "inspect", "team/app:v1", "--again") == said
    deadline = time.monotonic() + 2.0
    while lab.gate.generation() == before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert lab.gate.generation() != before


def test_inspect_again_reaches_the_children_of_an_index(lab: Lab) -> None:
    """An index is looked into again with everything below it."""
    lab.pushed(good(), None)
    lab.pushed(artifact(), None)
    raw = index((good().manifest, "linux/amd64"), (artifact().manifest, ""))
    lab.run(lab.push_manifest(raw))
    found = command(lab, "inspect", "team/app:v1", "--again")
    assert "reading 3 layers again" in found.stderr
    assert found.stdout.startswith("team/app:v1: cleared")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("policy", "show", "azureml-1999"), "there is no policy 'azureml-1999': known are"),
        (("policy", "show", "./none.yaml"), "cannot be read"),
        (("policy", "revoke", "abc"), "there is no exemption abc"),
        (("policy", "deactivate"), "no policy was activated for *: no policy is active by command"),
        (("inspect", "team/app:v9"), "team/app:v9 is not in this registry"),
        (("inspect", "Team/app"), "invalid repository name"),
        (
            ("policy", "exempt", "--repositories", "*", "--rule", "*", "--owner", "a", "--reason", "r", "--until", "x"),
            "the end is 'x': needs a date",
        ),
    ],
)
def test_a_mistake_is_one_clear_line(lab: Lab, words: tuple[str, ...], said: str) -> None:
    """What cannot be done says why, with exit code 2: 1 would be an answer."""
    found = command(lab, *words)
    assert (found.exit_code, found.output.count("\n")) == (2, 1)
    assert said in found.output


def test_no_registry_in_the_folder(tmp_path: Path) -> None:
    """A folder without a registry is not made one by asking."""
    found = CliRunner().invoke(basegate, ["policy", "list", "--data", str(tmp_path)])
    assert found.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_deactivation_lets_the_settings_count_again(lab: Lab) -> None:
    """In the running registry too."""
    answer(lab, "policy", "activate", "azureml-2020-09")
    assert is_served(lab)
    assert answer(lab, "policy", "deactivate")["in_force"] == {"*": "azureml-2019-07"}
    assert is_withheld(lab)


def test_deactivation_is_for_one_pattern(lab: Lab) -> None:
    """Others stay active."""
    for pattern in ("team/*", "lab/*"):
        answer(lab, "policy", "activate", "azureml-2020-09", "--repositories", pattern)
    found = answer(lab, "policy", "deactivate", "--repositories", "lab/*")
    assert found["in_force"] == {"*": "azureml-2019-07", "team/*": "azureml-2020-09"}


def test_list_says_what_counts_and_why(lab: Lab) -> None:
    """What was activated by command overrides the settings, and what these say."""
    answer(lab, "policy", "activate", "azureml-2020-09")
    rows = {row["name"]: row["in_force"] for row in answer(lab, "policy", "list")}
    (place,) = rows["azureml-2020-09"]
    assert (place["by"], rows["azureml-2019-07"]) == ("command", [])
    assert place["why"].startswith("by `policy activate` since 2")
    assert place["why"].endswith("whatever the settings say (policy.name says azureml-2019-07)")
    assert place["why"] in command(lab, "policy", "list").output


def test_an_active_policy_is_shown_without_its_file(lab: Lab, tmp_path: Path) -> None:
    """It is kept whole."""
    text = Path("config/policy/azureml-2019-07.yaml").read_text(encoding="utf-8")
    (tmp_path / "own.yaml").write_text(text.replace("azureml-2019-07", "own"), encoding="utf-8")
    answer(lab, "policy", "activate", str(tmp_path / "own.yaml"))
    (tmp_path / "own.yaml").unlink()
    assert command(lab, "policy", "show", "own").exit_code == 0
