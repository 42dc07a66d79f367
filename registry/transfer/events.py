"""What happens in a transfer, for progress bars and for programs."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Stage = Literal["there", "begun", "bytes", "done"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that has happened.

    Attributes:
        event: `blob` or `manifest`.
        stage: `there`: the target has it already; `begun`; `bytes`: so many have gone over; `done`.
        digest: of the content.
        size: bytes of it in all.
        moved: bytes of it that have gone over.
    """

    event: str
    stage: Stage
    digest: str
    size: int
    moved: int = 0

    def document(self) -> Mapping[str, Any]:
        """As JSON."""
        return asdict(self)


Listener = Callable[[Event], None]


def nobody(_event: Event) -> None:
    """Listens to nothing."""
