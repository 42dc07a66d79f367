"""What takes the room in layers, told of inspections that are stored: no layer is read for it.

A layer of a hundred thousand files takes a tenth of a second, so that whoever asks waits for a moment only, and what
was found is remembered: a layer never changes.
"""

import asyncio
from dataclasses import dataclass
from functools import partial

from policy.inspection.layer.largest import Largest, largest_of
from policy.inspection.layer.report import LayerInspection
from policy.results import layers as inspected_layers
from policy.results.store import ResultStore
from registry.caches import SizedCache
from registry.content.parsing import in_short_turns
from registry.oci.digest import Digest

_TOLD = 10
"""Files, and directories, that are told of a layer."""
_REMEMBERED = 200
_AT_ONCE = 0.05
"""Seconds within which who asks has the answer, or hears that it is being looked up."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is known of a layer.

    Attributes:
        largest: what takes the room; `None`: why not, says `why`.
        why: a sentence; "" while it is being looked up.
    """

    largest: Largest | None
    why: str = ""


_UNKNOWN = Contents(
    None, "it was not looked into, or by an earlier version: the next push of an image with it does that"
)


class LayerContents:
    """Looks up what takes the room in layers, one after the other.

    Args:
        results: where inspections are.
        seconds: within which an answer is waited for.
    """

    def __init__(self, results: ResultStore, seconds: float = _AT_ONCE) -> None:
        self._results = results
        self._seconds = seconds
        self._known: SizedCache[str, Contents] = SizedCache(_REMEMBERED)
        self._running: dict[str, asyncio.Task[Contents]] = {}
        self._turn = asyncio.Lock()

    async def of(self, digest: Digest) -> Contents:
        """What is known of a layer; without an answer while it is looked up."""
        known = self._known.get(digest)
        if known is not None:
            return known
        running = self._running.get(digest)
        if running is None:
            running = self._running[digest] = asyncio.create_task(self._look_up(digest))
        done, _ = await asyncio.wait({running}, timeout=self._seconds)
        return running.result() if done else Contents(None)

    async def _look_up(self, digest: Digest) -> Contents:
        try:
            async with self._turn:
                found = await asyncio.to_thread(in_short_turns, partial(_read, self._results, digest))
        finally:
            del self._running[digest]
        if found.largest is not None:
            self._known.put(digest, found)
        return found


def _read(results: ResultStore, digest: Digest) -> Contents:
    inspected = results.read(inspected_layers.latest, digest)
    if inspected is None or inspected.failure:
        return _UNKNOWN if inspected is None else Contents(None, inspected.failure)
    try:
        layer = LayerInspection.from_bytes(inspected.body)
    except ValueError:
        return _UNKNOWN
    if layer.problem is not None:
        return Contents(None, layer.problem.message)
    return Contents(largest_of(layer.table, _TOLD))
