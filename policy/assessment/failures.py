"""Inspections that failed for a temporary cause, and when to retry them."""

import time
from collections.abc import Callable

from policy.results.manifests import InspectedManifest
from registry.caches import SizedCache

_FIRST_SECONDS, _LAST_SECONDS = 1.0, 3600.0
_REMEMBERED = 2000
_FAILED = b'"inspection-failed"'


class Failures:
    """Retries a failed inspection on demand, with growing intervals.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next: SizedCache[str, tuple[float, float]] = SizedCache(_REMEMBERED)

    def is_due(self, subject: InspectedManifest) -> bool:
        """Whether to retry now; if so, the next interval is longer."""
        if subject.final or _FAILED not in subject.body:
            return False
        when, pause = self._next.get(subject.manifest) or (0.0, _FIRST_SECONDS)
        now = self._clock()
        if now < when:
            return False
        self._next.put(subject.manifest, (now + pause, min(2 * pause, _LAST_SECONDS)))
        return True
