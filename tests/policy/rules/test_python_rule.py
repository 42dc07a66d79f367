"""Which Python counts: the one that PATH reaches, that of Conda's base environment, or both."""

import pytest

from policy.inspection.facts import Fact
from policy.rules.findings import Result
from policy.rules.python_version import PythonVersion
from tests.policy.facts_made import base_fact, beside_path, image, python_fact

GOOD, BAD = "3.6.8", "3.7.1"
AWAY = {"prefix": "usr"}


def rule(of: str = "path") -> PythonVersion:
    """The rule of the default policy, for this Python."""
    return PythonVersion.model_validate({"series": ["3.5", "3.6"], "of": of})


def results(of: str, *facts: Fact) -> list[Result]:
    """How the rule comes out."""
    return [item.result for item in rule(of).evaluate(image(*facts))]


@pytest.mark.parametrize(
    ("of", "path", "base", "expected"),
    [
        ("path", GOOD, BAD, [Result.PASS, Result.WARN]),
        ("path", BAD, GOOD, [Result.FAIL, Result.WARN]),
        ("base", GOOD, BAD, [Result.FAIL, Result.WARN]),
        ("base", BAD, GOOD, [Result.PASS, Result.WARN]),
        ("both", GOOD, BAD, [Result.PASS, Result.FAIL, Result.WARN]),
        ("both", GOOD, GOOD, [Result.PASS, Result.PASS]),
        ("path", GOOD, GOOD, [Result.PASS]),
        ("path", "3.6", GOOD, [Result.PASS]),
    ],
)
def test_of(of: str, path: str, base: str, expected: list[Result]) -> None:
    """The named Python must pass; that the other one differs is a warning, whatever the policy asks."""
    assert results(of, python_fact(path), base_fact(base)) == expected


def test_path_is_the_default() -> None:
    """A policy that says nothing judges what PATH reaches."""
    assert PythonVersion(minimum="3.6").of == "path"


def test_the_difference_names_both_places() -> None:
    """A person sees which Python is where."""
    *_, warning = rule().evaluate(image(python_fact(GOOD), base_fact(BAD)))
    meta = "opt/miniconda/conda-meta"
    assert warning.message == (
        f"Python 3.6.8 found at {meta}/python-3.6.8-h0371630_0.json (layer 3) is what the image's PATH reaches, and "
        f"Python 3.7.1 of Conda's base environment found at {meta}/python-3.7.1-h0371630_0.json (layer 3) is "
        "another one"
    )


def test_one_version_in_two_prefixes_is_a_difference() -> None:
    """Packages that conda installs are not those that the other Python imports."""
    other = base_fact(GOOD, "/opt/other")
    assert results("path", python_fact(GOOD), other) == [Result.PASS, Result.WARN]


def test_without_conda_there_is_no_base_python() -> None:
    """A policy that asks for it fails and says so; the default does not miss it."""
    assert results("path", python_fact(GOOD)) == [Result.PASS]
    (finding,) = rule("base").evaluate(image(python_fact(GOOD)))
    assert (finding.result, finding.message[:46]) == (Result.FAIL, "no Python of Conda's base environment found: l")


def test_what_path_does_not_reach_warns() -> None:
    """Right, and nevertheless to be looked at; wrong stays wrong."""
    (right,) = rule().evaluate(image(beside_path(python_fact(GOOD))))
    assert right.result is Result.WARN
    assert right.message.endswith(
        "(layer 3), which the image's PATH does not reach: it reaches no python and no python3"
    )
    assert results("path", beside_path(python_fact(BAD))) == [Result.FAIL]


def test_an_unknown_python_is_refused() -> None:
    """The parameter has three values."""
    with pytest.raises(ValueError, match="'path', 'base' or 'both'"):
        rule("system")
