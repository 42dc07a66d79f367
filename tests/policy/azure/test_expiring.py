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


def test_what_was_taken_is_gone() -> None:
    """Once, and never again."""
    held: Expiring[int] = Expiring(2, 60.0, Clock())
    held.put("code", 1)
    assert (held.take("code"), held.take("code"), len(held)) == (1, None, 0)
