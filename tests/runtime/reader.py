"""A runtime as a reader: it pulls an image, starts it, and lets it answer."""

from dataclasses import dataclass
from typing import Protocol

from tests.installation import Account
from tests.runtime.question import Facts

SECONDS = 30
"""How long a container may take to answer; one that waits for ever was not started in any useful sense."""


@dataclass(frozen=True)
class Answer:
    """What a runtime made of an image.

    Attributes:
        facts: what the container showed; `None` when the image could not be unpacked or started.
        words: what was printed instead, or beside it.
    """

    facts: Facts | None
    words: str = ""

    def __str__(self) -> str:
        return str(self.facts) if self.facts else f"not started: {' '.join(self.words.split())[-300:]}"


class Reader(Protocol):
    """One runtime with storage of its own."""

    @property
    def name(self) -> str:
        """What it is called in a message."""
        ...

    def ask(self, reference: str, account: Account, script: str) -> Answer:
        """Pull `HOST/name:tag` as this account, run its `/bin/sh -c` with the script, as the image is configured."""
        ...

    def empty(self) -> None:
        """Let go of the images that were pulled."""
        ...
