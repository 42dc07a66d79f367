"""Codes end: by time, by use, and when there are too many."""

from policy.azure.expiring import Expiring
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


def test_the_oldest_makes_way() -> None:
    """Whoever begins many sign-ins fills no memory."""
    held: Expiring[int] = Expiring(2, 60.0, Clock())
    for number in range(3):
        held.put(str(number), number)
    assert [held.get("0"), held.get("1"), held.get("2")] == [None, 1, 2]


def test_who_has_the_most_makes_way() -> None:
    """One caller's many codes push out none of another's, however old that is."""
    held: Expiring[int] = Expiring(3, 60.0, Clock())
    held.put("theirs", 0, "somebody")
    for number in range(10):
        held.put(str(number), number, "many")
    assert [held.get("theirs"), held.get("7"), held.get("8"), held.get("9"), len(held)] == [0, None, 8, 9, 3]


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
