"""What a metadata store promises, whatever database holds the rows.

A write is a plain function of a connection, and one call of `write` is one transaction, durable when it returns
(synchronous=FULL). Concurrent writes may share a commit, but fail alone. A read sees one consistent snapshot.

`read` may do its work before it gives way to anybody: it is for look-ups by key and for pages, whose cost has a bound.
Everything else is a `read_apart` (docs/adr/0042-rows-are-read-in-the-loop.md has the figures).
"""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar, runtime_checkable

from sqlalchemy import Connection

from registry.metadata.tag_lookups import TagLookups
from registry.metadata.upload_lookups import UploadLookups

P = ParamSpec("P")
T = TypeVar("T")


class MetadataStore(Protocol):
    """Transactions over the tables of `registry.metadata.tables`."""

    async def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query of bounded cost and return its answer; it must not write. The event loop may wait for it."""
        ...

    async def read_apart(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read` for what takes long: nobody else waits for it."""
        ...

    def read_now(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read` for threads that may wait."""
        ...

    async def write(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a change in a transaction of its own, durable when this returns; an exception rolls it back."""
        ...

    def generation(self) -> int:
        """A number that changes with every committed write, of other processes too; caches are keyed by it."""
        ...

    def tag_lookups(self) -> TagLookups | None:
        """`None` where `generation` changes before anybody hears of a commit; else what names stand for is asked anew.

        What is returned asks for tags, and belongs to the event loop that runs.
        """
        ...

    def upload_lookups(self) -> UploadLookups | None:
        """What asks for uploads that nodes share, likewise; `None` where `read` is as cheap."""
        ...

    def principals_generation(self) -> int:
        """A number that changes with every committed write to principals; it may change with others too."""
        ...

    def losses_generation(self) -> int:
        """A number that changes with every committed write that takes a blob from a repository; maybe with others."""
        ...

    def leads(self) -> bool:
        """Whether this process does what one of several nodes does for all: collections by interval, sinks."""
        ...

    def close(self) -> None:
        """Finish waiting writes and let go of the database."""
        ...


class RowStore(MetadataStore, Protocol):
    """A metadata store in a database that somebody runs: what maintenance needs beside."""

    def problems(self) -> list[str]:
        """What is wrong with the database: one sentence for each problem."""
        ...


@runtime_checkable
class SharedRows(Protocol):
    """Rows that several nodes share, which hear of each other by them."""

    async def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As that of `MetadataStore`."""
        ...

    def show(self, name: str) -> None:
        """Have other nodes see a name of this one, in ASCII, from a moment later on until its end, however it comes."""
        ...
