"""What a store of results promises, whatever database holds them: all of them can be computed again.

Queries and changes are plain functions of a connection, as in the metadata store. Reads are immediate; writes follow in
batches: one that is lost with the process only costs a computation, so that nobody waits for a disk. What turns out to
be damaged, in any page or row, is begun anew at once, and the query runs again: no wrong word is read.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

from policy.results.layer_turns import LayerTurns

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")


class ResultStore(Protocol):
    """Transactions over the tables of `policy.results.tables`. Safe to use from any thread."""

    def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query now and return its answer; it must not write, and each of its statements stands for itself."""
        ...

    def later(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Make a change soon; the future gives its result, and nobody needs to wait for it.

        Changes happen in the order in which they came, each in a transaction that it may share.
        """
        ...

    def gather(self, add: Callable[[Connection, Sequence[Item]], object], item: Item) -> None:
        """Add an item soon, in one call with others of its kind.

        Earlier changes come before it, later ones after it; additions of different kinds come in any order.
        """
        ...

    def write(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Make a change and wait until every read, of other processes too, sees it."""
        ...

    def settle(self) -> None:
        """Wait until everything pending is committed: for queries over the whole store."""
        ...

    def generation(self) -> int:
        """A number that changes when what is remembered of earlier reads may not hold any more.

        It follows other processes within milliseconds, or as often as it is asked for.
        """
        ...

    def layer_turns(self, detectors: str) -> LayerTurns:
        """The turns of this process at inspecting layers by these detectors; the caller closes them before this."""
        ...

    def close(self) -> None:
        """Commit what is pending and let go of the database."""
        ...
