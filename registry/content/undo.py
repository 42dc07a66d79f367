"""How long what was deleted or collected can be brought back: as it was ordered, else as the settings say."""

from dataclasses import dataclass

from registry.config.group import DAY
from registry.config.settings import RegistrySettings
from registry.content.retention_state import ordered_undo


@dataclass(frozen=True, slots=True)
class Undo:
    """What counts now.

    Attributes:
        seconds: how long what is in the trash stays there.
        kept: whether what is deleted from now on goes to the trash at all.
    """

    seconds: int
    kept: bool


def undo_of(settings: RegistrySettings) -> Undo:
    """What counts for a data folder; reads a file."""
    ordered = ordered_undo(settings.data)
    if ordered is not None:
        return Undo(ordered[0] * DAY, ordered[1])
    return Undo(settings.gc.undo_seconds, settings.gc.undo_seconds > 0)
