"""Slows brute force: wrong secrets are counted, answered with growing delays, then refused for a time (429).

Failures count per address and per pair of principal and address, so that nobody can lock out a principal elsewhere.
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
_DOUBLINGS_MAXIMUM = 30  # bounds 2 ** n


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
    """Counts failures; the caller asks before it checks a secret, and reports the result."""

    def __init__(self, settings: Callable[[], ThrottleSettings], clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._running: dict[tuple[str, ...], Counter[int]] = {}
        self._failures: OrderedDict[tuple[str, ...], _Failures] = OrderedDict()

    def check(self, username: str, address: str) -> None:
        """Check that an attempt is allowed.

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
        """Count an attempt while it runs, because it may fail.

        A concurrent try of the same secret for the same principal is the same attempt.

        Raises:
            Throttled: too many failures, running attempts included.
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
            # One may always run: otherwise nobody could sign in after the time of refusal.
            if running and pair not in running and before + len(running) >= limit:
                raise Throttled(username, address, _ATTEMPT_SECONDS)

    def failed(self, username: str, address: str) -> float:
        """Count a wrong secret; returns the seconds to delay its response."""
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
