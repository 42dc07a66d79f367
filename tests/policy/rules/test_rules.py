"""Each rule: what passes, what fails, and the sentence it says."""

from dataclasses import replace

import pytest

from policy.inspection.facts import Evidence, Fact
from policy.rules import RULES
from policy.rules.conda_version import CondaVersion
from policy.rules.findings import Finding, Result
from policy.rules.os_version import OsVersion
from policy.rules.posix_shell import PosixShell
from policy.rules.python_version import PythonVersion
from policy.rules.rule import Rule
from tests.policy.facts_made import conda_fact, image, os_fact, python_fact, shell_fact

OS = OsVersion(id="ubuntu", minimum="16.04")
CONDA = CondaVersion(minimum="4.5")
PYTHON = PythonVersion(series=["3.5", "3.6"])
PYTHON_MINIMUM = PythonVersion(minimum="3.6")
SHELL = PosixShell(path="/bin/sh")


def only(rule: Rule, *facts: Fact) -> Finding:
    """The single finding of a rule."""
    (finding,) = rule.evaluate(image(*facts))
    return finding


@pytest.mark.parametrize(
    ("rule", "fact"),
    [
        (OS, os_fact("ubuntu", "16.04")),
        (OS, os_fact("ubuntu", "22.04")),
        (CONDA, conda_fact("4.5")),
        (CONDA, conda_fact("4.5.12")),
        (CONDA, conda_fact("4.10.3")),
        (CONDA, conda_fact("23.1.0")),
        (PYTHON, python_fact("3.5.6")),
        (PYTHON, python_fact("3.6.15+")),
        (PYTHON_MINIMUM, python_fact("3.10.2")),
        (SHELL, shell_fact()),
    ],
)
def test_pass(rule: Rule, fact: Fact) -> None:
    """What meets the rule passes with its evidence and needs no fix."""
    finding = only(rule, fact)
    assert (finding.result, finding.fix, finding.evidence) == (Result.PASS, "", fact.evidence)


@pytest.mark.parametrize(
    ("rule", "fact", "start"),
    [
        (OS, os_fact("ubuntu", "14.04"), "Ubuntu 14.04 found at etc/os-release (layer 0); needs Ubuntu 16.04 or newer"),
        (OS, os_fact("debian", "9"), "Debian 9 found at etc/os-release"),
        (OS, os_fact("ubuntu", None), "operating system found at etc/os-release (layer 0) without a version"),
        (OS, os_fact("ubuntu", "16"), "Ubuntu 16 found at"),
        (OS, os_fact("Ubuntu", "16.04"), "Ubuntu 16.04 found at"),
        (
            CONDA,
            conda_fact("4.4.11"),
            "Conda 4.4.11 found at opt/miniconda/conda-meta/conda-4.4.11-py36_0.json (layer 2)",
        ),
        (CONDA, conda_fact("4.5.0rc1"), "Conda 4.5.0rc1 found"),
        (CONDA, conda_fact(None), "Conda found at"),
        (PYTHON, python_fact("3.10.0"), "Python 3.10.0 found"),
        (PYTHON, python_fact("2.7.18"), "Python 2.7.18 found"),
        (PYTHON_MINIMUM, python_fact("3.5.10"), "Python 3.5.10 found"),
        (SHELL, shell_fact("usr/local/bin/sh"), "only shell /usr/local/bin/sh found"),
    ],
)
def test_fail(rule: Rule, fact: Fact, start: str) -> None:
    """What does not meet the rule fails, says what was found and what is needed, and names a fix."""
    finding = only(rule, fact)
    assert finding.result is Result.FAIL
    assert finding.message.startswith(start)
    assert finding.message.endswith(f"needs {rule.needs}")
    assert finding.fix


def test_python_message_is_the_published_one() -> None:
    """The sentence that clients print, to the letter."""
    place = "opt/miniconda/conda-meta/python-3.7.0-h0371630_0.json"
    expected = f"Python 3.7.0 found at {place} (layer 3); needs 3.5.x or 3.6.x"
    assert only(PYTHON, python_fact("3.7.0")).message == expected


def test_nothing_found_names_the_places() -> None:
    """Without a fact the rule fails and says where it was looked for."""
    finding = only(CONDA, os_fact())
    assert finding.message == "no Conda found: looked at usr/bin/conda, bin/conda; needs 4.5 or newer"


def test_nothing_found_names_what_only_looks_like_it() -> None:
    """With the places as evidence; more than three are counted."""
    seen = [Evidence(f"d{number}/micromamba", index=number) for number in range(5)]
    found = [Fact("conda", {"lookalike": "micromamba"}, judged=False, evidence=(item,)) for item in seen]
    message = "no Conda found: looked at usr/bin/conda, bin/conda; micromamba at d0/micromamba (layer 0)"
    one, five = only(CONDA, found[0]), only(CONDA, *found)
    assert one.message == f"{message} is none; needs 4.5 or newer"
    assert "(layer 2) and 2 more are none; needs" in five.message
    assert five.evidence[:5] == tuple(seen)
    assert only(PYTHON, *found).message.count("micromamba") == 0


def test_every_judged_fact_must_pass() -> None:
    """Two judged Pythons give two findings, and one of them fails."""
    findings = PYTHON.evaluate(image(python_fact("3.6.8"), python_fact("3.7.0")))
    assert [item.result for item in findings] == [Result.PASS, Result.FAIL]


def test_reported_facts_are_not_judged() -> None:
    """A system Python beside the base prefix makes no difference."""
    findings = PYTHON.evaluate(image(python_fact("3.6.8"), python_fact("2.7.18", judged=False)))
    assert [item.result for item in findings] == [Result.PASS]


def test_the_note_is_said() -> None:
    """A fact that could not be read says why."""
    message = only(PYTHON, python_fact(None, note="the interpreters disagree")).message
    assert "the interpreters disagree" in message


def test_names_are_unique() -> None:
    """No two rules share a name."""
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("identifier", "minimum", "passes", "fails", "image_of"),
    [
        ("debian", "10", ("10", "12", "10.13"), ("9", "9.13", "testing/sid"), "debian:10"),
        ("centos", "7", ("7", "7.9.2009", "8"), ("6", "6.10"), "centos:7"),
        ("fedora", "40", ("40", "43"), ("39", "rawhide"), "fedora:40"),
        ("amzn", "2", ("2", "2018.03", "2023"), ("1",), "amazonlinux:2"),
        ("rhel", "8.4", ("8.4", "8.10", "9"), ("8", "7.9"), "redhat/ubi8:8.4"),
        ("azurelinux", "20230201", ("20230201", "20240101"), ("3.0",), "azurelinux:20230201"),
    ],
)
def test_other_systems(
    identifier: str, minimum: str, passes: tuple[str, ...], fails: tuple[str, ...], image_of: str
) -> None:
    """A policy for a system whose versions are one number can be written, and names its base image."""
    rule = OsVersion(id=identifier, minimum=minimum)
    assert {only(rule, os_fact(identifier, version)).result for version in passes} == {Result.PASS}
    found = [only(rule, os_fact(identifier, version)) for version in fails]
    assert {item.result for item in found} == {Result.FAIL}
    assert all(image_of in item.fix for item in found)


def test_a_version_that_is_no_number_is_said() -> None:
    """Neither missing nor empty: it is there, and cannot be compared."""
    note = "the VERSION_ID of etc/os-release is 'testing/sid': needs a number, or numbers joined by dots"
    fact = replace(os_fact("debian", "testing/sid"), note=note)
    message = only(OsVersion(id="debian", minimum="10"), fact).message
    place = "etc/os-release (layer 0)"
    expected = f"Debian testing/sid found at {place}, which cannot be compared: {note}; needs Debian 10 or newer"
    assert message == expected
