"""Codes end: by time, by use, and when there are too many."""

import pytest

from policy.azure.expiring import Expiring
from registry.oci.errors import TooManyRequests
from tests.policy.lab import Clock


def test_a_code_ends_after_its_time() -> None:
    """At the second that it was given."""
    clock = Clock()
    held: Expiring[int] = Expiring(10, 60.0, clock)
    held.put("code", 1)
    clock.now += 59
    assert held.get("code") == 1
    clock.now += 1
    assert held.get("code") is None


def test_an_owner_that_has_its_share_loses_its_oldest() -> None:
    """Whoever begins many sign-ins fills no memory."""
    held: Expiring[int] = Expiring(100, 60.0, Clock(), share=2)
    for number in range(3):
        held.put(str(number), number, "many")
    assert [held.get("0"), held.get("1"), held.get("2")] == [None, 1, 2]


def test_who_has_the_most_makes_way() -> None:
    """Many callers' codes push out none of one who has a single one, however old that is."""
    held: Expiring[int] = Expiring(4, 60.0, Clock(), share=2)
    for code, owner in (("theirs", "somebody"), ("a", "many"), ("b", "many"), ("c", "other"), ("d", "another")):
        held.put(code, 0, owner)
    assert [held.get(code) for code in ("theirs", "a", "b", "c", "d")] == [0, None, 0, 0, 0]


def test_nobody_loses_the_last_one_to_others() -> None:
    """When each has one, another caller is refused; who has one already may begin anew."""
    held: Expiring[int] = Expiring(2, 60.0, Clock(), share=1)
    held.put("one", 1, "a")
    held.put("two", 2, "b")
    with pytest.raises(TooManyRequests, match="try again later"):
        held.put("three", 3, "c")
    held.put("four", 4, "a")
    assert [held.get("one"), held.get("two"), held.get("four")] == [None, 2, 4]


def test_one_code_is_held_once() -> None:
    """Putting it again begins it anew."""
    held: Expiring[int] = Expiring(3, 60.0, Clock())
    for number in range(5):
        held.put("code", number, "somebody")
    assert (held.get("code"), len(held)) == (4, 1)


def test_what_was_taken_is_gone() -> None:
    """Once, and never again."""
    held: Expiring[int] = Expiring(2, 60.0, Clock())
    held.put("code", 1)
    assert (held.take("code"), held.take("code"), len(held)) == (1, None, 0)
