"""A gate that turns to other settings: judged first, all or nothing, and at once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from policy.definition.policy import known_policies
from policy.enforcement.reload import PolicyReload
from policy.results import verdicts
from policy.settings import Settings
from policy.state import State
from registry.config.reload import Turn
from registry.config.sources import SettingsError
from registry.oci.errors import Denied
from tests.policy.images_made import bad, good
from tests.policy.lab import READER, TEAM, V1, Lab

YOUNG = "azureml-2020-09"


@pytest.fixture
def lab(lab: Lab) -> Lab:
    """In which an image lies that the policy refuses and a later one clears."""
    lab.pushed(bad())
    return lab


def settings(**policy: Any) -> Settings:
    """Settings that differ from the lab's in some of the policy's."""
    return Settings.model_validate({"policy": {"inspection": {"workers": 1, "nice": 0}} | policy})


def prepared(lab: Lab, **policy: Any) -> Turn:
    """What a reload to these settings makes ready."""
    turn = lab.run(PolicyReload(lab.gate).prepare(settings(**policy).policy))
    assert turn is not None
    return turn


def is_withheld(lab: Lab) -> bool:
    """Whether a reader is refused the image."""
    try:
        lab.run(lab.manifests.pull(READER, TEAM, V1))
    except Denied:
        return True
    return False


def folder_with(tmp_path: Path, content: str) -> Path:
    """A policy folder with one file."""
    (tmp_path / "policies").mkdir(exist_ok=True)
    (tmp_path / "policies" / "own.yaml").write_text(content)
    return tmp_path / "policies"


def own(minimum: str) -> str:
    """A policy that needs an Ubuntu of that version."""
    head = "{name: own, title: Ours, source: {document: Ours, date: '2020-01-01'}, "
    return head + f"rules: [{{rule: os-version, id: ubuntu, minimum: '{minimum}'}}]}}"


def test_everything_is_judged_before_the_gate_turns(lab: Lab) -> None:
    """The old verdicts stand until the new ones are complete; no layer is opened for them."""
    opened = lab.gate.inspector.workers.counters.layers_opened
    turn = prepared(lab, name=YOUNG)
    assert lab.results.read(verdicts.totals, known_policies()[YOUNG].digest) == {State.CLEARED: 1}
    assert is_withheld(lab)
    turn()
    assert not is_withheld(lab)
    assert lab.gate.inspector.workers.counters.layers_opened == opened


def test_settings_without_a_difference_turn_nothing(lab: Lab) -> None:
    """A reload that changes nothing of the policy leaves the gate alone."""
    before = lab.gate.generation()
    assert lab.run(PolicyReload(lab.gate).prepare(settings().policy)) is None
    assert lab.gate.generation() == before


def test_another_mode_makes_earlier_answers_fall(lab: Lab) -> None:
    """Whatever was remembered of the gate's decisions is not given again."""
    before = lab.gate.generation()
    prepared(lab, mode="audit")()
    assert lab.gate.generation() != before
    assert not is_withheld(lab)


def test_a_binding_that_is_gone_widens_the_default(lab: Lab) -> None:
    """What the default has not judged so far is judged before it counts there."""
    prepared(lab, bindings=[{"repositories": "team/*", "policy": YOUNG}])()
    default = known_policies()["azureml-2019-07"].digest
    lab.results.write(verdicts.forget_policy, default)
    turn = prepared(lab)
    assert lab.results.read(verdicts.totals, default) == {State.REFUSED: 1}
    turn()
    assert is_withheld(lab)


def test_an_unknown_policy_is_refused(lab: Lab) -> None:
    """The sentence names it, and those that are known."""
    with pytest.raises(SettingsError, match=r"there is no policy 'azureml-1999'.* known are .*azureml-2019-07"):
        prepared(lab, name="azureml-1999", mode="audit")
    assert is_withheld(lab)


def test_a_policy_file_that_cannot_be_read_is_refused(lab: Lab, tmp_path: Path) -> None:
    """One broken file of the folder refuses all of the change."""
    folder = folder_with(tmp_path, "rules: [")
    with pytest.raises(SettingsError, match=r"own\.yaml is not YAML"):
        prepared(lab, folder=folder, mode="audit")
    assert is_withheld(lab)


def test_a_policy_file_that_was_changed_counts(lab: Lab, tmp_path: Path) -> None:
    """The folder is read again although the settings name the same one."""
    folder = folder_with(tmp_path, own("18.04"))
    prepared(lab, folder=folder, name="own")()
    assert is_withheld(lab)
    folder_with(tmp_path, own("16.04"))
    prepared(lab, folder=folder, name="own")()
    assert not is_withheld(lab)


def test_a_question_ends_under_the_policy_it_began_with(lab: Lab) -> None:
    """A push whose layers are still being read is answered as the policy said when it came."""
    made = good(conda="4.6.1", python="3.7.0")

    async def push_over_the_turn() -> str:
        turn = await PolicyReload(lab.gate).prepare(settings(name=YOUNG).policy)
        assert turn is not None
        pushing = asyncio.create_task(lab.push(made))
        while not lab.gate.inspector.is_looking(made.digest):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.001)
        turn()
        return (await pushing).warnings[0]

    assert "is not cleared by policy azureml-2019-07" in lab.run(push_over_the_turn())
    assert not is_withheld(lab)
