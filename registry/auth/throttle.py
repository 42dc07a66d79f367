"""Brute force slowed: wrong secrets are counted, answered later and later, then refused for a time (429).

Counted per address and per pair of principal and address, so that nobody can lock a principal out from elsewhere.
"""

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from registry.config.access import ThrottleSettings
from registry.oci.errors import TooManyRequests

_ATTEMPT_SECONDS = 1
_DOUBLINGS_MAXIMUM = 30  # keeps 2 ** n a sensible number


class Throttled(TooManyRequests):
    """Too many wrong secrets; `username` is what was tried, for the audit."""

    def __init__(self, username: str, address: str, seconds: int) -> None:
        super().__init__(
            f"too many wrong secrets from {address or 'this client'}: wait {seconds} s, then try again",
            headers={"Retry-After": str(seconds)},
        )
        self.username = username


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: float = 0.0
    refused_until: float = 0.0


class Throttle:
    """Remembers failures; the caller asks before it checks a secret and tells what came out."""

    def __init__(self, settings: Callable[[], ThrottleSettings], clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._running: dict[tuple[str, ...], Counter[int]] = {}
        self._failures: OrderedDict[tuple[str, ...], _Failures] = OrderedDict()

    def check(self, username: str, address: str) -> None:
        """Let an attempt pass, or not.

        Raises:
            Throttled: with `Retry-After` in seconds.
        """
        now = self._clock()
        until = max(self._recall(key, now).refused_until for key in _keys(username, address))
        if until > now:
            seconds = math.ceil(until - now)
            raise Throttled(username, address, seconds)

    @contextmanager
    def attempt(self, username: str, secret: str, address: str) -> Iterator[None]:
        """Count an attempt while it runs: until it is known how it ends, it may be a wrong one.

        The same secret tried for the same principal again meanwhile is the same attempt.

        Raises:
            Throttled: too many wrong ones, those that run included.
        """
        self.check(username, address)
        pair = hash((username, secret))
        keys = _keys(username, address)
        self._require_room(username, address, pair)
        for key in keys:
            self._running.setdefault(key, Counter())[pair] += 1
        try:
            yield
        finally:
            for key in keys:
                running = self._running[key]
                running[pair] -= 1
                if not running[pair]:
                    del running[pair]
                if not running:
                    del self._running[key]

    def _require_room(self, username: str, address: str, pair: int) -> None:
        settings, now = self._settings(), self._clock()
        limits = (settings.pair_failures, settings.address_failures)
        for key, limit in zip(_keys(username, address), limits, strict=True):
            running = self._running.get(key, Counter[int]())
            before = self._recall(key, now).count
            # One may always run: otherwise nobody could sign in again once a time of refusal is over.
            if running and pair not in running and before + len(running) >= limit:
                raise Throttled(username, address, _ATTEMPT_SECONDS)

    def failed(self, username: str, address: str) -> float:
        """Count a wrong secret; how many seconds its answer should be held back."""
        settings = self._settings()
        now = self._clock()
        counts = [self._count(key, now) for key in _keys(username, address)]
        for entry, limit in zip(counts, (settings.pair_failures, settings.address_failures), strict=True):
            if entry.count >= limit:
                seconds = _doubled(settings.refusal_seconds, entry.count - limit, settings.refusal_maximum_seconds)
                entry.refused_until = now + seconds
        beyond = counts[0].count - settings.free_failures
        return _doubled(settings.delay_seconds, beyond - 1, settings.delay_maximum_seconds) if beyond > 0 else 0.0

    def succeeded(self, username: str, address: str) -> None:
        """Forget the failures of this principal at this address, and of the address."""
        for key in _keys(username, address):
            self._failures.pop(key, None)

    def _recall(self, key: tuple[str, ...], now: float) -> _Failures:
        entry = self._failures.get(key)
        if entry is None or (now - entry.last > self._settings().forget_seconds and now >= entry.refused_until):
            return _Failures()
        return entry

    def _count(self, key: tuple[str, ...], now: float) -> _Failures:
        entry = self._recall(key, now)
        entry.count += 1
        entry.last = now
        self._failures[key] = entry
        self._failures.move_to_end(key)
        while len(self._failures) > self._settings().entries:
            self._failures.popitem(last=False)
        return entry


def _keys(username: str, address: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (username[:128].lower(), address), (address,)


def _doubled(seconds: float, times: int, maximum: float) -> float:
    return min(maximum, seconds * float(2 ** min(times, _DOUBLINGS_MAXIMUM)))
