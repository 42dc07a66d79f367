"""What a caller may not pull, and so stays where it is."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Withheld:
    """Images that were passed over, with the reason of each."""

    reasons: dict[str, str] = field(default_factory=dict)

    def add(self, image: str, reason: str) -> None:
        """Note one."""
        self.reasons[image] = reason
