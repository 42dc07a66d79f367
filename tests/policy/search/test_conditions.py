"""Conditions: what they say, and what is said of those that are wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.search.conditions import FACTS, OPERATORS, ConditionRefused, read_condition, read_conditions, split


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("os.version<16.04", "14.04", True),
        ("os.version<16.04", "16.10", False),
        ("os.version<9", "10", False),
        ("os.version=18.04.0", "18.04", True),
        ("os.version<16.04", "rolling", False),
        ("conda<4.5", "4.10.1", False),
        ("conda<4.5", "4.5.0rc1", True),
        ("conda>=4.5", "4.5.0", True),
        ("python=3.6", "3.6.8", False),
        ("python~3.6.*", "3.6.8", True),
        ("os.name!=ubuntu", "debian", True),
        ("verdict=refused", "refused", True),
        ("repository~team/*", "team/app/debug", True),
        ("repository~team/*", "other/app", False),
    ],
)
def test_a_condition_holds(text: str, value: str, holds: bool) -> None:
    """Versions compare as versions, texts as texts, patterns as everywhere."""
    assert read_condition(text).holds((value,)) is holds


def test_of_several_values_one_is_enough() -> None:
    """An image with two Pythons is found by either; with `!=`, none may be so."""
    pythons = ("2.7.18", "3.6.8")
    assert read_condition("python<3").holds(pythons)
    assert not read_condition("python!=3.6.8").holds(pythons)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("os.versions<16.04", "known are os.name, os.version"),
        ("tag.age=90d", "tag.age is not compared by '=': known are <, <=, >, >="),
        ("tag.age>90", "needs an age"),
        ("size>big", "needs a size"),
        ("pushed<yesterday", "needs a day or a time in UTC"),
        ("conda<", "has no value"),
        ("conda<four", "needs numbers joined by dots"),
        ("verdict=good", "cleared, refused, inconclusive, not-applicable, pending"),
        ("ubuntu", "is no condition"),
        ("", "is no condition"),
    ],
)
def test_a_wrong_condition_is_told(text: str, told: str) -> None:
    """What was found, and what is known."""
    with pytest.raises(ConditionRefused) as refused:
        read_condition(text)
    assert told in str(refused.value)


def test_too_many() -> None:
    """There is an end to them."""
    with pytest.raises(ConditionRefused, match="at most 32"):
        read_conditions(["conda<4.5"] * 33)


def test_a_line_is_split() -> None:
    """At spaces, save for those in quotation marks."""
    assert split('os.version<16.04  tag.age>90d policy="my policy"') == [
        "os.version<16.04",
        "tag.age>90d",
        "policy=my policy",
    ]


def test_every_fact_has_operators() -> None:
    """And each of them is told to whoever asks for another."""
    assert all(OPERATORS[known.form] for known in FACTS.values())


@given(st.text(max_size=600))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else is raised."""
    try:
        condition = read_condition(text)
    except ConditionRefused:
        return
    assert condition.fact in FACTS
    assert read_condition(str(condition)) == condition


@given(st.sampled_from(sorted(FACTS)), st.sampled_from(["=", "!=", "~", "<", ">="]), st.text(min_size=1, max_size=40))
def test_any_value_is_compared(fact: str, operator: str, value: str) -> None:
    """A condition that was read holds or does not, of whatever an image has."""
    try:
        condition = read_condition(f"{fact}{operator}{value}")
    except ConditionRefused:
        return
    assert condition.holds((value, "18.04", "")) in {True, False}
