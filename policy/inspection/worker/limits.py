"""What the inspection workers may cost, and what they have done."""

from dataclasses import dataclass

from policy.inspection.budgets import Budgets


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What the workers may cost; the meanings are those of the settings `policy.inspection.*`.

    `nice`: how far a worker stands back while nobody waits for what it reads.
    `idle_seconds`: a worker leaves an upload that has said nothing for so long when other layers wait.
    `rest_seconds`: a worker to whom nothing has come for so long ends.
    """

    workers: int
    memory_bytes: int
    wall_seconds: float
    recycle_layers: int
    nice: int
    follow_queue: int
    budgets: Budgets
    idle_seconds: float = 2.0
    rest_seconds: float = 60.0


@dataclass(slots=True)
class WorkerCounters:
    """What the workers have done since the start."""

    layers_opened: int = 0
    bytes_opened: int = 0
    deaths: int = 0
