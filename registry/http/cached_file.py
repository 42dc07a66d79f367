"""A cached response whose body is a file, as a connection sees it."""

from typing import Protocol

from registry.http.sendfile import Window


class CachedFile(Protocol):
    """A cached response whose body is a file. Exactly one of `finish` and `withdraw` follows `begin`."""

    @property
    def head(self) -> bytes:
        """The head of the response."""
        ...

    @property
    def window(self) -> Window:
        """The body of the response."""
        ...

    @property
    def path(self) -> str:
        """The path of the request, for the log."""
        ...

    def begin(self) -> None:
        """Sending starts."""
        ...

    def withdraw(self) -> None:
        """Nothing was sent: the application answers instead."""
        ...

    def finish(self, sent: int) -> None:
        """Sending has ended after `sent` bytes of the body."""
        ...
