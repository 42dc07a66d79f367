"""Brute force slowed."""

from contextlib import ExitStack

import pytest

from registry.auth.throttle import Throttle, Throttled
from registry.config.access import ThrottleSettings

SETTINGS = ThrottleSettings(
    free_failures=2, delay_seconds=1, delay_maximum_seconds=4, pair_failures=5, address_failures=8, refusal_seconds=10,
    refusal_maximum_seconds=40, forget_seconds=100, entries=16,
)  # fmt: skip


class Clock:
    """Seconds that pass when told to."""

    now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    """A throttle with the settings above."""
    return Throttle(lambda: SETTINGS, clock)


def fail(throttle: Throttle, times: int, username: str = "ci", address: str = "10.0.0.1") -> list[float]:
    """Wrong secrets in a row; the delays of their answers."""
    return [throttle.failed(username, address) for _ in range(times)]


def test_failures_slow_down(throttle: Throttle) -> None:
    """The first are free, then the delay doubles up to its maximum."""
    assert fail(throttle, 7) == [0, 0, 1, 2, 4, 4, 4]


def test_too_many_failures_are_refused_for_a_time(throttle: Throttle, clock: Clock) -> None:
    """The fifth failure of a pair is followed by 429 until its time is over."""
    fail(throttle, 4)
    throttle.check("ci", "10.0.0.1")
    fail(throttle, 1)
    with pytest.raises(Throttled) as refused:
        throttle.check("ci", "10.0.0.1")
    assert refused.value.headers["Retry-After"] == "10"
    clock.now += 10
    throttle.check("ci", "10.0.0.1")


def test_refusal_doubles_to_a_maximum(throttle: Throttle, clock: Clock) -> None:
    """Who goes on waits longer, but never without end."""
    fail(throttle, 30)
    with pytest.raises(Throttled) as refused:
        throttle.check("ci", "10.0.0.1")
    assert refused.value.headers["Retry-After"] == "40"
    clock.now += 40
    throttle.check("ci", "10.0.0.1")


def test_other_addresses_are_not_locked_out(throttle: Throttle) -> None:
    """The principal can still sign in from elsewhere."""
    fail(throttle, 20)
    throttle.check("ci", "10.0.0.2")


def test_an_address_that_tries_many_names_is_refused(throttle: Throttle) -> None:
    """Guessing a few secrets of many principals counts against the address."""
    for number in range(8):
        throttle.failed(f"user{number}", "10.0.0.1")
    with pytest.raises(Throttled):
        throttle.check("another", "10.0.0.1")


def test_case_of_the_name_does_not_help(throttle: Throttle) -> None:
    """A GUID in another case is the same principal."""
    for username in ("ABCD", "abcd", "AbCd", "aBcD", "ABcd"):
        throttle.failed(username, "10.0.0.1")
    with pytest.raises(Throttled):
        throttle.check("abcd", "10.0.0.1")


def test_success_resets(throttle: Throttle) -> None:
    """After the right secret, the next mistakes are free again."""
    fail(throttle, 4)
    throttle.succeeded("ci", "10.0.0.1")
    assert fail(throttle, 3) == [0, 0, 1]


def test_failures_are_forgotten(throttle: Throttle, clock: Clock) -> None:
    """Old mistakes do not add up for ever."""
    fail(throttle, 4)
    clock.now += 101
    assert fail(throttle, 2) == [0, 0]


def test_memory_is_bounded(throttle: Throttle) -> None:
    """A thousand addresses leave as many entries as the settings allow; the latest is remembered."""
    for number in range(1000):
        fail(throttle, 5, "ci", f"10.0.{number >> 8}.{number & 255}")
    with pytest.raises(Throttled):
        throttle.check("ci", "10.0.3.231")
    throttle.check("ci", "10.0.0.0")


def test_attempts_that_run_are_counted(throttle: Throttle) -> None:
    """As many as may be wrong run at once; each that ends otherwise makes room for another."""
    with ExitStack() as running:
        for number in range(SETTINGS.pair_failures):
            running.enter_context(throttle.attempt("a", f"secret {number}", "1"))
        with pytest.raises(Throttled), throttle.attempt("a", "one more", "1"):
            pass
    with throttle.attempt("a", "one more", "1"):
        pass


def test_the_same_attempt_is_counted_once(throttle: Throttle) -> None:
    """Many machines that start together with one secret are not many guesses."""
    with ExitStack() as running:
        for _ in range(100):
            running.enter_context(throttle.attempt("a", "secret", "1"))
