"""Policy files: the shipped ones, and what is refused at load."""

from pathlib import Path

import pytest

from policy.assessment.verdict import judge_image
from policy.definition.policy import (
    DEFAULT,
    Policy,
    PolicyRefused,
    known_policies,
    load_policy,
    named_policy,
    parse_policy,
    read_policy,
)
from policy.state import State
from tests.policy.facts_made import conda_fact, image, os_fact, python_fact, shell_fact

PLAIN = """
name: lab
title: A lab's own
source: {document: Notes, date: "2026-01-01"}
rules:
  - {rule: conda-version, minimum: "4.5"}
"""


def shipped(name: str) -> Policy:
    """A shipped policy."""
    return known_policies()[name]


def refusal(text: str) -> str:
    """Why a policy is refused."""
    with pytest.raises(PolicyRefused) as caught:
        load_policy(text.encode(), "lab.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "os", "conda", "python", "state"),
    [
        (DEFAULT, "16.04", "4.5.12", "3.6.8", State.CLEARED),
        (DEFAULT, "16.04", "4.5.12", "3.7.0", State.REFUSED),
        (DEFAULT, "16.04", "4.4.11", "3.6.8", State.REFUSED),
        ("azureml-2020-09", "16.04", "4.5.12", "3.7.0", State.CLEARED),
        ("azureml-2020-09", "16.04", "4.5.12", "3.8.0", State.REFUSED),
        ("azureml-2020-11", "16.04", "4.5.12", "3.10.1", State.CLEARED),
        ("azureml-2020-11", "16.04", "4.5.12", "3.5.6", State.REFUSED),
        ("azureml-2021-08", "18.04", "4.7.12", "3.6.8", State.CLEARED),
        ("azureml-2021-08", "16.04", "4.7.12", "3.6.8", State.REFUSED),
        ("azureml-2021-08", "18.04", "4.5.12", "3.6.8", State.REFUSED),
    ],
)
def test_shipped_policies(name: str, os: str, conda: str, python: str, state: State) -> None:
    """Each dated policy draws its own line."""
    facts = image(os_fact("ubuntu", os), conda_fact(conda), python_fact(python), shell_fact())
    assert judge_image("sha256:0", facts, shipped(name)).state is state


def test_shipped_files_are_named_after_their_policies() -> None:
    """A policy is found under its own name."""
    assert {path.stem for path in Path("config/policy").glob("*.yaml")} == set(known_policies())


def test_the_digest_names_the_content_not_its_spelling() -> None:
    """Comments, order and layout do not change the digest; a parameter does."""
    plain = load_policy(PLAIN.encode(), "lab.yaml")
    respelt = load_policy(("# a comment\n" + PLAIN.replace('"4.5"', "'4.5'")).encode(), "lab.yaml")
    changed = load_policy(PLAIN.replace('"4.5"', '"4.6"').encode(), "lab.yaml")
    assert plain.digest == respelt.digest != changed.digest


def test_content_makes_the_same_policy() -> None:
    """What a policy was parsed from can be stored and parsed again."""
    plain = load_policy(PLAIN.encode(), "lab.yaml")
    assert parse_policy(plain.content, "results") == plain


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('rules:\n  - {rule: conda-version, minimum: "4.5"}', "rules: []", "rules: List should have at least 1 item"),
        ('rules:\n  - {rule: conda-version, minimum: "4.5"}', "", "rules is missing"),
        ("conda-version", "conda-versoin", "unknown rule 'conda-versoin': did you mean conda-version?"),
        ("minimum:", "least:", "minimum is missing"),
        ('minimum: "4.5"', 'minimum: "4.5", maximum: "5"', "maximum is not a known member"),
        ('"4.5"', "4.5", "minimum: needs text, found 4.5 (in YAML, put quotes around it)"),
        ('"4.5"', "12", "minimum: needs text, found 12 (in YAML, put quotes around it)"),
        ('"4.5"', '"newest"', "'newest' is not a version"),
        ("title:", "titel:", "title is missing"),
        ("name: lab", "name: lab\nname: other", "'name' stands twice"),
        ('"2026-01-01"', "2026-01-01", "source.date"),
        ("name: lab", "name: [", "is not YAML"),
        (PLAIN, "just text", "the file: Input should be"),
        (PLAIN, "", "the file: Input should be"),
    ],
)
def test_refused_at_load(old: str, new: str, said: str) -> None:
    """A policy that means nothing, or not what it says, is refused with file and place."""
    message = refusal(PLAIN.replace(old, new))
    assert message.startswith("policy lab.yaml")
    assert said in message


@pytest.mark.parametrize("rule", ["{rule: python-version}", '{rule: python-version, series: ["3.5"], minimum: "3.6"}'])
def test_python_needs_series_or_minimum(rule: str) -> None:
    """Both or neither is refused."""
    assert "needs either series or minimum" in refusal(PLAIN.replace('{rule: conda-version, minimum: "4.5"}', rule))


def test_unreadable_file(tmp_path: Path) -> None:
    """A file that is not there is one clear line."""
    with pytest.raises(PolicyRefused, match=r"cannot be read: No such file"):
        read_policy(tmp_path / "none.yaml")


def test_a_folder_adds_and_replaces(tmp_path: Path) -> None:
    """An operator's folder adds policies and replaces shipped ones of the same name."""
    (tmp_path / "a.yaml").write_text(PLAIN.replace("name: lab", f"name: {DEFAULT}"))
    (tmp_path / "b.yaml").write_text(PLAIN)
    found = known_policies(tmp_path)
    assert found["lab"].name == "lab"
    assert found[DEFAULT].document.title == "A lab's own"


def test_unknown_name_lists_the_known() -> None:
    """A name that is not known says which are."""
    with pytest.raises(PolicyRefused, match=r"no policy 'x': known are azureml-2019-07, "):
        named_policy(known_policies(), "x")
