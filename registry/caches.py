"""Caches within bounds: content that never changes, and answers that hold until something is written."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from registry.oci.digest import Digest

T = TypeVar("T")


class ContentCache:
    """Bytes by their digest, the least recently used forgotten first.

    Args:
        capacity: bytes of content held at most.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held = 0
        self._contents: OrderedDict[Digest, bytes] = OrderedDict()

    def get(self, digest: Digest) -> bytes | None:
        """The content, when it is here."""
        found = self._contents.get(digest)
        if found is not None:
            self._contents.move_to_end(digest)
        return found

    def put(self, digest: Digest, content: bytes) -> None:
        """Keep content; what is larger than an eighth of the capacity would push out too much and is not kept."""
        if len(content) > self._capacity // 8 or digest in self._contents:
            return
        self._contents[digest] = content
        self._held += len(content)
        while self._held > self._capacity:
            _, forgotten = self._contents.popitem(last=False)
            self._held -= len(forgotten)


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
