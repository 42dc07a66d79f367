"""The settings of judging: their defaults, and which policy and mode follow from them."""

from pathlib import Path

import pytest

from policy.assessment.settings import BudgetSettings, JudgingSettings
from policy.decision import Mode
from policy.definition.policy import DEFAULT, PolicyRefused, known_policies
from policy.enforcement.assignments import Assignments
from policy.enforcement.operator_file import Activation, OperatorFile
from policy.inspection.budgets import Budgets

POLICIES = known_policies()
LATER = POLICIES["azureml-2020-11"]
BINDINGS = [
    {"repositories": "lab/*", "policy": "azureml-2020-09", "mode": "warn"},
    {"repositories": "lab/strict/*", "mode": "reject"},
]


def bindings(orders: OperatorFile | None = None) -> Assignments:
    """What follows from BINDINGS and orders."""
    settings = JudgingSettings.model_validate({"bindings": BINDINGS})
    return Assignments(settings, POLICIES, orders or OperatorFile())


def test_budgets_have_one_set_of_defaults() -> None:
    """The settings' defaults are those of the inspection."""
    assert BudgetSettings().budgets() == Budgets()


def test_the_default_is_to_enforce_the_policy_of_2019() -> None:
    """Nothing set means the published rule, enforced."""
    bound = Assignments(JudgingSettings(), POLICIES, OperatorFile()).of("team/app")
    assert (bound.policy.name, bound.mode) == (DEFAULT, Mode.ENFORCE)


@pytest.mark.parametrize(
    ("repository", "policy", "mode"),
    [
        ("team/app", DEFAULT, Mode.ENFORCE),
        ("lab/app", "azureml-2020-09", Mode.WARN),
        ("lab/strict/app", "azureml-2020-09", Mode.REJECT),
        ("laboratory/app", DEFAULT, Mode.ENFORCE),
    ],
)
def test_the_longest_pattern_counts(repository: str, policy: str, mode: Mode) -> None:
    """Policy and mode are looked up each for itself."""
    bound = bindings().of(repository)
    assert (bound.policy.name, bound.mode) == (policy, mode)


@pytest.mark.parametrize(
    ("pattern", "team", "lab"),
    [("*", LATER.name, "azureml-2020-09"), ("lab/*", DEFAULT, LATER.name), ("team/*", LATER.name, "azureml-2020-09")],
)
def test_orders_replace_settings(pattern: str, team: str, lab: str) -> None:
    """What was activated by command counts where its pattern is the longest."""
    order = Activation(pattern, LATER.name, LATER.digest, dict(LATER.content), 0.0)
    found = bindings(OperatorFile((order,)))
    assert (found.of("team/app").policy.name, found.of("lab/app").policy.name) == (team, lab)


def test_unknown_policy_names_are_refused() -> None:
    """A setting that names nothing is said at the start."""
    settings = JudgingSettings.model_validate({"name": "azureml-1999"})
    with pytest.raises(PolicyRefused, match="there is no policy 'azureml-1999'"):
        Assignments(settings, POLICIES, OperatorFile())


def test_a_folder_of_policies(tmp_path: Path) -> None:
    """Policies of an operator's folder are known by their names."""
    text = Path("config/policy/azureml-2019-07.yaml").read_text(encoding="utf-8")
    (tmp_path / "own.yaml").write_text(text.replace(f"name: {DEFAULT}", "name: own"), encoding="utf-8")
    assert known_policies(tmp_path)["own"].digest != POLICIES[DEFAULT].digest
