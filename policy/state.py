"""What is known of an image, in one word."""

from enum import StrEnum


class State(StrEnum):
    """What is known of an image at a door. `pending` is never stored: it is the absence of a verdict."""

    CLEARED = "cleared"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not-applicable"
    PENDING = "pending"
