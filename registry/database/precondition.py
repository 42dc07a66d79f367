"""What has to hold elsewhere than in the database for a change to be made, asked within its transaction."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future


class Precondition:
    """One of a change. Where changes share a transaction, those of several may be asked about at once.

    Args:
        ask: blocks; it must change nothing.
    """

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._answer: Future[bool] | None = None

    def begin(self, threads: Executor) -> None:
        """Have it asked now; nothing that changes its answer may come between this and the call."""
        self._answer = threads.submit(self._ask)

    def __call__(self) -> bool:
        """The answer. Raises what asking raises."""
        answer, self._answer = self._answer, None
        return self._ask() if answer is None else answer.result()


def preconditions_in(arguments: Iterable[object]) -> list[Precondition]:
    """Those among the arguments of a change."""
    return [each for each in arguments if isinstance(each, Precondition)]
