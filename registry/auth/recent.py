"""A bounded memory of recent answers: the least used go first, and all go when their time is over."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Answers by question, for one event loop.

    Args:
        entries: how many are kept.
        seconds: how long one is believed.
        clock: seconds, of any origin.
    """

    def __init__(self, entries: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries = entries
        self._seconds = seconds
        self._clock = clock
        self._answers: OrderedDict[K, tuple[float, V]] = OrderedDict()

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
            del self._answers[question]
            return None
        self._answers.move_to_end(question)
        return answer

    def put(self, question: K, answer: V) -> None:
        """Remember an answer from now on."""
        self._answers[question] = (self._clock() + self._seconds, answer)
        self._answers.move_to_end(question)
        while len(self._answers) > self._entries:
            self._answers.popitem(last=False)

    def forget(self, question: K) -> None:
        """Drop one answer."""
        self._answers.pop(question, None)

    def clear(self) -> None:
        """Drop everything."""
        self._answers.clear()
