"""What can go wrong with another registry, by what a caller does about it."""

from registry.errors import BasegateError


class RemoteError(BasegateError):
    """Another registry did not do what was asked of it. The message names it, and says what to do.

    Args:
        message: one sentence for a person.
        retry_after: seconds that the registry asks to be left alone; `None` when it says nothing.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unreachable(RemoteError):
    """No whole answer: no connection, cut, silent for too long, too slow, or 5xx. Another try may help."""


class Throttled(Unreachable):
    """It answers 429: it wants fewer requests."""


class Absent(RemoteError):
    """It has no such repository, manifest or blob."""


class SignInRefused(RemoteError):
    """It wants credentials, refuses those it got, or says that they do not suffice."""


class Unusable(RemoteError):
    """Its answer cannot be taken: another size or digest than announced, too large, malformed, or led elsewhere."""
