"""Caches within bounds: by size, by age, and for as long as nothing is written."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

from registry.oci.digest import Digest

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


class SizedCache(Generic[K, V]):
    """Values by key, the least recently used forgotten first; for one thread.

    Args:
        capacity: sizes of all values together at most; entries, where no sizes are given.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held = 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        """How many values are held."""
        return len(self._values)

    def __iter__(self) -> Iterator[K]:
        """The keys, the least recently used first."""
        return iter(self._values)

    def __contains__(self, key: K) -> bool:
        """Whether a value is held; that is no use of it."""
        return key in self._values

    def get(self, key: K) -> V | None:
        """The value, when it is here."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, size: int = 1) -> None:
        """Keep a value, in the place of an earlier one; what is larger than the capacity is not kept."""
        self.pop(key)
        if size > self._capacity:
            return
        self._values[key] = value, size
        self._held += size
        self._shrink()

    def pop(self, key: K) -> None:
        """Forget one value."""
        gone = self._values.pop(key, None)
        if gone is not None:
            self._held -= gone[1]

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._held = 0

    def resize(self, capacity: int) -> None:
        """Keep so much from now on."""
        self._capacity = capacity
        self._shrink()

    def _shrink(self) -> None:
        while self._held > self._capacity:
            _, (_, gone) = self._values.popitem(last=False)
            self._held -= gone


class ContentCache:
    """Bytes by their digest.

    Args:
        capacity: bytes of content held at most.
    """

    def __init__(self, capacity: int) -> None:
        self._largest = capacity // 8
        self._contents: SizedCache[Digest, bytes] = SizedCache(capacity)

    def get(self, digest: Digest) -> bytes | None:
        """The content, when it is here."""
        return self._contents.get(digest)

    def put(self, digest: Digest, content: bytes) -> None:
        """Keep content; what is larger than an eighth of the capacity would push out too much and is not kept."""
        if len(content) <= self._largest and digest not in self._contents:
            self._contents.put(digest, content, len(content))


class Recent(Generic[K, V]):
    """Answers by question, for one event loop.

    Args:
        entries: how many are kept.
        seconds: how long one is believed.
        clock: seconds, of any origin.
    """

    def __init__(self, entries: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._answers: SizedCache[K, tuple[float, V]] = SizedCache(entries)

    def __len__(self) -> int:
        """How many answers are held, those whose time is over included."""
        return len(self._answers)

    def get(self, question: K) -> V | None:
        """The answer, or `None` when there is none that is young enough."""
        held = self._answers.get(question)
        if held is None:
            return None
        until, answer = held
        if until <= self._clock():
            self._answers.pop(question)
            return None
        return answer

    def put(self, question: K, answer: V) -> None:
        """Remember an answer from now on."""
        self._answers.put(question, (self._clock() + self._seconds, answer))

    def forget(self, question: K) -> None:
        """Drop one answer."""
        self._answers.pop(question)

    def clear(self) -> None:
        """Drop everything."""
        self._answers.clear()


class AnswerCache(Generic[T]):
    """Answers that hold as long as a generation number stays the same.

    Args:
        capacity: answers held at most.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._generation = -1
        self._answers: dict[Hashable, T] = {}

    def get(self, key: Hashable, generation: int) -> T | None:
        """The answer, when it was given in this generation."""
        return self._answers.get(key) if generation == self._generation else None

    def put(self, key: Hashable, generation: int, answer: T) -> None:
        """Keep an answer. `generation` must have been read before the answer was looked up."""
        if generation != self._generation or len(self._answers) >= self._capacity:
            self._answers.clear()
            self._generation = generation
        self._answers[key] = answer
