"""What became of one delivery."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """The status that it was answered with, 0 for none; and what went wrong, "" for nothing."""

    status: int
    problem: str
