"""A remembered response whose body is a file, as a connection sees it."""

from typing import Protocol

from registry.http.sendfile import Window


class CachedFile(Protocol):
    """One such response. Exactly one of `tell` and `withdraw` follows `begin`."""

    @property
    def head(self) -> bytes:
        """Of the response."""
        ...

    @property
    def window(self) -> Window:
        """Its body."""
        ...

    @property
    def path(self) -> str:
        """Of the request, for the log."""
        ...

    def begin(self) -> None:
        """It is sent now."""
        ...

    def withdraw(self) -> None:
        """Nothing of it was sent: the application is asked after all."""
        ...

    def tell(self, sent: int) -> None:
        """It was sent, or as many bytes of its body as could be."""
        ...
