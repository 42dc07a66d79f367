"""Who inspects a layer: one process at a time, where several share the results."""

from typing import Protocol


class LayerTurns(Protocol):
    """Turns at inspecting layers, by digest. Safe to use from any thread."""

    async def take(self, layer: str) -> bool:
        """Have the turn, until it is `done`; `False` while another process has it. Raises Unavailable."""
        ...

    def announce(self, layer: str) -> None:
        """Take the turn, if nobody has it, for a layer that is being read already; nobody waits for that."""
        ...

    def done(self, layer: str) -> None:
        """Let others have the turn: what was found is stored, or the layer could not be read."""
        ...

    def close(self) -> None:
        """Let others have all turns."""
        ...


class OwnTurns:
    """Of a process that has its results for itself: it always has the turn."""

    async def take(self, layer: str) -> bool:  # noqa: ARG002
        """It has it."""
        return True

    def announce(self, layer: str) -> None:
        """Nobody needs to know."""

    def done(self, layer: str) -> None:
        """Nobody waits for it."""

    def close(self) -> None:
        """There is nothing to give back."""
