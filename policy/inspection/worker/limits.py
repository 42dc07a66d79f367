"""Limits and counters of the inspection workers."""

from dataclasses import dataclass

from policy.inspection.budgets import Budgets


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Limits of the workers; the meanings are those of the settings `policy.inspection.*`.

    `nice`: the niceness of a worker while nobody waits for its layer.
    `idle_seconds`: a worker drops an upload without progress for this long when other layers wait.
    `rest_seconds`: idle workers exit after this many seconds.
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
    """Counters of the workers since the start."""

    layers_opened: int = 0
    bytes_opened: int = 0
    deaths: int = 0
