"""Secrets checked beside the event loop."""

import asyncio
from collections.abc import Iterator

import pytest

from registry.auth.secret_hash import hash_secret
from registry.auth.secret_verifier import SecretCheck
from registry.config.access import AuthSettings
from registry.oci.errors import TooManyRequests

HASH = hash_secret("right")
OTHER = hash_secret("other")


@pytest.fixture
def check() -> Iterator[SecretCheck]:
    """A check of its own with room for one waiting secret."""
    opened = SecretCheck(AuthSettings(), 2, lambda: 1)
    yield opened
    opened.close()


def test_finds_the_hash_that_matches(check: SecretCheck) -> None:
    """Either of two secrets is accepted, and it is told which."""
    assert asyncio.run(check.find("ci", "right", [OTHER, HASH])) == HASH
    assert asyncio.run(check.find("ci", "wrong", [OTHER, HASH])) is None


def test_right_answer_is_remembered(check: SecretCheck) -> None:
    """After the first time no hashing is needed, but only for the same secret and hash."""
    assert check.recall("right", [HASH]) is None
    asyncio.run(check.find("ci", "right", [HASH]))
    assert check.recall("right", [OTHER, HASH]) == HASH
    assert check.recall("wrong", [HASH]) is None
    assert check.recall("right", [OTHER]) is None


def test_unknown_principal_costs_the_same_and_matches_nothing(check: SecretCheck) -> None:
    """Without hashes there is nothing to match."""
    assert asyncio.run(check.find("ci", "right", [])) is None
    assert check.recall("right", []) is None


def test_equal_questions_are_asked_once(check: SecretCheck) -> None:
    """Ten parallel requests of one client need one place in the queue, not ten."""

    async def ask() -> list[str | None]:
        return await asyncio.gather(*(check.find("ci", "right", [HASH]) for _ in range(10)))

    assert asyncio.run(ask()) == [HASH] * 10


def test_too_many_at_once_are_turned_away(check: SecretCheck) -> None:
    """The queue is bounded; who does not fit is asked to come back."""

    async def flood() -> list[str | BaseException | None]:
        return await asyncio.gather(*(check.find("ci", f"guess{n}", [HASH]) for n in range(10)), return_exceptions=True)

    refused = [answer for answer in asyncio.run(flood()) if isinstance(answer, TooManyRequests)]
    assert len(refused) == 8
    assert refused[0].headers["Retry-After"] == "1"


def test_cancelled_caller_does_not_spoil_the_answer(check: SecretCheck) -> None:
    """A client that leaves while its secret is hashed leaves the answer to the others."""

    async def leave() -> str | None:
        first = asyncio.create_task(check.find("ci", "right", [HASH]))
        second = asyncio.create_task(check.find("ci", "right", [HASH]))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(leave()) == HASH


def test_huge_secret_is_not_hashed(check: SecretCheck) -> None:
    """A secret of megabytes is wrong without any work."""
    assert asyncio.run(check.find("ci", "x" * 1_000_000, [HASH])) is None


def test_how_many_may_wait_may_change_meanwhile() -> None:
    """The setting is live: it is asked for each secret that comes."""
    waiting = [1]
    check = SecretCheck(AuthSettings(), 1, lambda: waiting[0])

    async def flood() -> int:
        guesses = (check.find("ci", f"guess{waiting[0]}-{n}", [HASH]) for n in range(6))
        return sum(answer is None for answer in await asyncio.gather(*guesses, return_exceptions=True))

    assert asyncio.run(flood()) == 2
    waiting[0] = 3
    assert asyncio.run(flood()) == 4
    check.close()
