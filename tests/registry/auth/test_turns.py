"""Whose secret is hashed next: nobody waits for more than one attempt of each address, and of each name there."""

import asyncio

import pytest

from registry.auth.turns import Turns
from registry.oci.errors import TooManyRequests

ALL = 64


class Sequence:
    """Attempts that each hold their turn for one step of the loop, and the order in which they got it."""

    def __init__(self, places: int = 1, waiting: int = ALL) -> None:
        self.turns = Turns(places, lambda: waiting)
        self.order: list[str] = []
        self.running = self.most = 0

    async def attempt(self, address: str, username: str) -> None:
        """Wait, hold, leave."""
        async with self.turns.wait(address, username):
            self.order.append(f"{username}@{address}")
            self.running += 1
            self.most = max(self.most, self.running)
            await asyncio.sleep(0)
            self.running -= 1

    async def all_of(self, *attempts: tuple[str, str]) -> list[BaseException | None]:
        """Begin them in this order; what came of each."""
        return await asyncio.gather(*(self.attempt(*each) for each in attempts), return_exceptions=True)


def test_no_more_than_there_are_places() -> None:
    """Everybody gets a turn."""
    sequence = Sequence(places=2)
    asyncio.run(sequence.all_of(*[("1", "a")] * 20))
    assert (sequence.most, len(sequence.order)) == (2, 20)


def test_another_address_waits_for_one() -> None:
    """However many wait from the first."""
    sequence = Sequence()
    asyncio.run(sequence.all_of(*[("1", "a")] * 50, ("2", "b")))
    assert sequence.order.index("b@2") <= 2


def test_another_name_at_the_same_address_waits_for_one() -> None:
    """However many wait for the first."""
    sequence = Sequence()
    asyncio.run(sequence.all_of(*[("1", "a")] * 50, ("1", "b")))
    assert sequence.order.index("b@1") <= 2


def test_a_full_queue_sends_away_whoever_fills_it() -> None:
    """And not the one who comes last."""
    sequence = Sequence(waiting=10)
    ends = asyncio.run(sequence.all_of(*[("1", "a")] * 11, ("2", "b")))
    assert sum(isinstance(end, TooManyRequests) for end in ends) == 1
    assert ends[-1] is None


def test_a_full_queue_of_one_address_sends_the_last_away() -> None:
    """With when to try again."""
    sequence = Sequence(waiting=3)
    ends = asyncio.run(sequence.all_of(*[("1", "a")] * 6))
    assert [type(end) for end in ends] == [type(None)] * 4 + [TooManyRequests] * 2


@pytest.mark.parametrize("steps", range(6))
def test_who_leaves_holds_up_nobody(steps: int) -> None:
    """At whatever moment."""
    sequence = Sequence()

    async def leave() -> None:
        tasks = [asyncio.create_task(sequence.attempt("1", name)) for name in "abc"]
        for _ in range(steps):
            await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await sequence.attempt("2", "d")

    asyncio.run(leave())
    assert sequence.order[-1] == "d@2"
    assert {"a@1", "c@1"} <= set(sequence.order)
