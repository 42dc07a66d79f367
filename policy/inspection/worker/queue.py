"""The queue of layers that wait for a worker."""

from collections import deque
from collections.abc import Iterator

from policy.inspection.worker.job import LayerJob


class WaitingLayers:
    """Urgent layers first, complete ones before those still being uploaded; then those that nobody waits for.

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
        """The number of urgent layers."""
        return len(self._whole) + len(self._growing)

    @property
    def growing(self) -> int:
        """The number of layers still being uploaded."""
        return len(self._growing)

    def add(self, job: LayerJob) -> None:
        """Append a layer to its queue."""
        if not job.progress.complete:
            self._growing.append(job)
        else:
            (self._whole if job.urgent else self._behind).append(job)

    def take(self) -> LayerJob:
        """Remove and return the next layer; there must be one."""
        return next(queue for queue in (self._whole, self._growing, self._behind) if queue).popleft()

    def withdraw(self, job: LayerJob) -> bool:
        """Remove a layer; returns whether it was there."""
        for queue in (self._whole, self._growing, self._behind):
            if job in queue:
                queue.remove(job)
                return True
        return False

    def clear(self) -> None:
        """Remove all layers."""
        for queue in (self._whole, self._growing, self._behind):
            queue.clear()
