"""Layers that wait for a worker, in the order in which they are read."""

from collections import deque
from collections.abc import Iterator

from policy.inspection.worker.job import LayerJob


class WaitingLayers:
    """What somebody waits for comes first, whole layers before those that still arrive; then what nobody waits for.

    Used under the lock of the pool.
    """

    def __init__(self) -> None:
        self._whole: deque[LayerJob] = deque()
        self._growing: deque[LayerJob] = deque()
        self._behind: deque[LayerJob] = deque()

    def __len__(self) -> int:
        return self.urgent + len(self._behind)

    def __iter__(self) -> Iterator[LayerJob]:
        return iter([*self._whole, *self._growing, *self._behind])

    @property
    def urgent(self) -> int:
        """How many somebody waits for."""
        return len(self._whole) + len(self._growing)

    @property
    def growing(self) -> int:
        """How many still arrive."""
        return len(self._growing)

    def add(self, job: LayerJob) -> None:
        """Let a layer wait behind its like."""
        if not job.progress.complete:
            self._growing.append(job)
        else:
            (self._whole if job.urgent else self._behind).append(job)

    def take(self) -> LayerJob:
        """The next; there has to be one."""
        return next(queue for queue in (self._whole, self._growing, self._behind) if queue).popleft()

    def withdraw(self, job: LayerJob) -> bool:
        """Let a layer wait no longer; whether it did."""
        for queue in (self._whole, self._growing, self._behind):
            if job in queue:
                queue.remove(job)
                return True
        return False

    def clear(self) -> None:
        """Let none wait any longer."""
        for queue in (self._whole, self._growing, self._behind):
            queue.clear()
