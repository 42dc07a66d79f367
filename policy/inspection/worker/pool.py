"""The pool of inspection workers: a bounded number of processes, started on demand, and their queue."""

import threading
import time
from collections.abc import Callable
from typing import Any

from policy.inspection.worker.job import Inspected, LayerJob, Open
from policy.inspection.worker.limits import WorkerCounters, WorkerLimits
from policy.inspection.worker.process import WorkerDied, WorkerProcess, not_for_this_user
from policy.inspection.worker.queue import WaitingLayers

_ATTEMPTS = 2

OnResult = Callable[[str, Inspected], None]


class InspectionWorkers:
    """Inspects layers in worker processes. Thread-safe; only `close` blocks."""

    def __init__(self, limits: WorkerLimits, on_result: OnResult) -> None:
        """Start nothing yet.

        Args:
            limits: of the workers.
            on_result: called with digest and result in a thread of the pool, before the job's future is set.
        """
        self._limits = limits
        self._on_result = on_result
        self._condition = threading.Condition()
        self._waiting = WaitingLayers()
        self._threads: list[threading.Thread] = []
        self._slots: list[_Slot] = []
        self._closed = False
        self._outstanding: dict[str, LayerJob] = {}
        self.counters = WorkerCounters()

    def follow(self, descriptor: int, available: int) -> LayerJob | None:
        """Inspect a growing file, taking over its descriptor; `None` when too many wait already."""
        with self._condition:
            if self._closed or self._waiting.growing >= self._limits.follow_queue:
                return None
        job = LayerJob(descriptor, available)
        self._enqueue(job)
        return job

    def finished(self, job: LayerJob, digest: str, size: int) -> None:
        """The file of a followed job is complete; `outstanding` now finds the job by its digest."""
        with self._condition:
            self._outstanding[digest] = job
            waits = self._waiting.withdraw(job)
            job.finished(digest, size)
            if waits:
                self._waiting.add(job)
            elif job.parked:
                job.parked = False
                self._enqueue(job)

    def aborted(self, job: LayerJob) -> None:
        """The upload of a followed job was aborted."""
        with self._condition:
            job.abort()
            if self._waiting.withdraw(job) or job.parked:
                self.drop(job)

    def apply_limits(self, limits: WorkerLimits) -> None:
        """Use other limits from the next layer on; surplus processes end after their present layer."""
        with self._condition:
            self._limits = limits
            while self._hire():
                pass
            self._condition.notify_all()

    def outstanding(self, digest: str) -> LayerJob | None:
        """The queued or running job of this layer, if any."""
        return self._outstanding.get(digest)

    def inspect(self, digest: str, opener: Open, *, urgent: bool = True) -> LayerJob:
        """Inspect a stored layer, opened when its turn comes; callers share the job of a layer.

        Args:
            digest: the layer.
            opener: opens its bytes.
            urgent: whether somebody waits for it; otherwise its worker runs at low priority until somebody does.
        """
        with self._condition:
            running = self._outstanding.get(digest)
            if running is not None:
                if urgent:
                    self.hasten(digest)
                return running
            job = LayerJob(opener=opener)
            job.urgent = urgent
            job.digest = digest
            job.algorithm = digest.partition(":")[0]
            self._outstanding[digest] = job
        self._enqueue(job)
        return job

    def hasten(self, digest: str) -> None:
        """Make the job of a layer urgent, if there is one."""
        with self._condition:
            job = self._outstanding.get(digest)
            if job is None or job.urgent:
                return
            waits = self._waiting.withdraw(job)
            job.hasten()
            if waits:
                self._enqueue(job)

    def close(self) -> None:
        """End all processes; queued jobs fail."""
        with self._condition:
            self._closed = True
            waiting = list(self._waiting)
            self._waiting.clear()
            self._condition.notify_all()
        for job in waiting:
            self._give_up(job, "the server is stopping")
        for thread in list(self._threads):
            thread.join()

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the workers that run now."""
        # Each is asked once: one that ends in between would be process 0, which stands for a whole group (kill(2)).
        return tuple(pid for slot in self._slots if (pid := slot.pid))

    @property
    def closed(self) -> bool:
        """Whether the pool takes no more work."""
        return self._closed

    def _enqueue(self, job: LayerJob, *, makes_way: bool = True) -> None:
        with self._condition:
            if self._closed:
                self._give_up(job, "the server is stopping")
                return
            self._waiting.add(job)
            if not self._hire() and makes_way:
                self._make_way()
            self._condition.notify()

    def _make_way(self) -> None:
        """When all workers are busy and an urgent job waits, recall a job that nobody waits for.

        The recalled job becomes urgent, so that no job is recalled twice.
        """
        coming = sum(slot.comes_free for slot in self._slots)
        behind = (slot.job for slot in self._slots if slot.job is not None and not slot.job.urgent)
        job = next(behind, None)
        if job is not None and self._waiting.urgent > coming:
            job.hasten(recalled=True)

    def _hire(self) -> bool:
        """Start a process when more jobs wait than processes are free, up to the limit."""
        free = sum(slot.job is None for slot in self._slots)
        wanted = len(self._waiting) > free and not self._closed
        if not wanted or len(self._slots) >= self._limits.workers:
            return False
        slot = _Slot(self)
        thread = threading.Thread(target=slot.run, name=f"inspection-{len(self._slots) + 1}", daemon=True)
        self._slots.append(slot)
        self._threads.append(thread)
        thread.start()
        return True

    def next_job(self, slot: "_Slot") -> LayerJob | None:
        """Wait for the most urgent job; `None` when the slot must end: the pool closes, shrinks, or has been idle."""
        with self._condition:
            slot.job = None
            called = True
            while called and not (self.is_crowded() or self._closed or self._is_overstaffed()):
                called = self._condition.wait(self._limits.rest_seconds)
            if self._closed:
                return None
            if self._is_overstaffed() or not self.is_crowded():
                self._slots.remove(slot)
                return None
            slot.job = self._waiting.take()
            return slot.job

    def gone(self, thread: threading.Thread) -> None:
        """A thread that had to end has ended its process."""
        with self._condition:
            self._threads.remove(thread)

    def _is_overstaffed(self) -> bool:
        return len(self._slots) > self._limits.workers

    def is_crowded(self) -> bool:
        """Whether jobs wait."""
        return len(self._waiting) > 0

    def settle(self, job: LayerJob, answer: dict[str, Any], body: bytes) -> None:
        """Process a worker's answer: pass the result on, or try again when it does not fit the layer's digest."""
        self.counters.layers_opened += 1
        self.counters.bytes_opened += int(answer["read"])
        if answer["abandoned"]:
            self._put_back(job)
        elif answer["failure"]:
            self.failed(job, f"the inspection worker failed: {answer['failure']}")
        elif not job.digest.startswith(f"{job.algorithm}:"):
            job.algorithm = job.digest.partition(":")[0]
            self._enqueue(job)
        elif job.digest != f"{job.algorithm}:{answer['digest']}":
            self._found_damaged(job)
        else:
            self._give(job, Inspected(body, "", int(answer["read"])))

    def failed(self, job: LayerJob, reason: str, *, passing: bool = False) -> None:
        """A worker failed: try once more, then report why, and whether another attempt may succeed."""
        job.attempts += 1
        if job.attempts < _ATTEMPTS:
            self._put_back(job)
        else:
            self._give_up(job, reason, passing=passing)

    def _found_damaged(self, job: LayerJob) -> None:
        """The bytes do not have the layer's digest: read once more, then report the file as damaged.

        A copy that has rotted is none of these reads: the store has the right bytes.
        """
        copied = job.discard()
        job.attempts += not copied
        if copied or job.attempts < _ATTEMPTS:
            self._put_back(job)
        else:
            reason = "the stored bytes are not those of the layer's digest"
            self._give(job, Inspected(b"", reason, 0, passing=True, damaged=job.stamp()))

    def left(self, job: LayerJob) -> None:
        """A worker has dropped the job for a more urgent one, or because its priority cannot be raised."""
        job.recalled = False
        job.release()
        self._enqueue(job, makes_way=False)

    def drop(self, job: LayerJob) -> None:
        """The layer is no longer needed."""
        self._give_up(job, "the upload came to nothing")

    def _put_back(self, job: LayerJob) -> None:
        """Read it again: at once when it is complete, else when it will be."""
        with self._condition:
            if job.aborted:
                self.drop(job)
            elif job.progress.complete:
                job.release()
                self._enqueue(job)
            else:
                job.parked = True

    def _give(self, job: LayerJob, result: Inspected) -> None:
        try:
            self._on_result(job.digest, result)
        finally:
            with self._condition:
                if self._outstanding.get(job.digest) is job:
                    del self._outstanding[job.digest]
            job.close(result)

    def _give_up(self, job: LayerJob, reason: str, *, passing: bool = False) -> None:
        result = Inspected(b"", reason, 0, passing)
        if job.digest and not self._closed:
            self._give(job, result)
            return
        self._outstanding.pop(job.digest, None)
        job.close(result)

    @property
    def limits(self) -> WorkerLimits:
        """The limits of the workers."""
        return self._limits


class _Displaced(Exception):
    """The present job must be dropped: an urgent one waits, or its worker's priority cannot be raised."""


class _Slot:
    """One thread and its process."""

    def __init__(self, pool: InspectionWorkers) -> None:
        self._pool = pool
        self._process: WorkerProcess | None = None
        self._memory_bytes = 0
        self.job: LayerJob | None = None

    @property
    def comes_free(self) -> bool:
        """Whether it has no job, or is about to drop it."""
        return self.job is None or self.job.recalled

    @property
    def pid(self) -> int:
        """The id of its process; 0 while there is none."""
        process = self._process
        return 0 if process is None else process.pid

    def run(self) -> None:
        """Take jobs until there is none for this slot."""
        while (job := self._pool.next_job(self)) is not None:
            if job.aborted:
                self._pool.drop(job)
                continue
            self._work(job)
        self._end()
        self._pool.gone(threading.current_thread())

    def _work(self, job: LayerJob) -> None:
        try:
            job.open()
            answer, body = self._attend(self._ready(job), job)
        except _Displaced:
            self._end()
            self._pool.left(job)
        except OSError as error:
            self._pool.failed(job, f"the layer's file cannot be opened: {error.strerror}", passing=True)
        except WorkerDied as death:
            self._pool.counters.deaths += 1
            self._end()
            self._pool.failed(job, f"the inspection worker {death}", passing=death.passing)
        else:
            self._pool.settle(job, answer, body)

    def _attend(self, process: WorkerProcess, job: LayerJob) -> tuple[dict[str, Any], bytes]:
        """Wait for the answer on one job.

        Raises:
            WorkerDied: the process is gone, or must be ended.
            _Displaced: the process must be ended, and the layer read again.
        """
        job.listen(process.wake)
        try:
            return self._wait_for_answer(process, job)
        finally:
            job.listen(None)

    def _wait_for_answer(self, process: WorkerProcess, job: LayerJob) -> tuple[dict[str, Any], bytes]:
        limits = self._pool.limits
        sent = process.start(job, limits.budgets)
        abandoned = False
        deadline = time.monotonic() + limits.wall_seconds
        while not process.wait():
            progress = job.progress
            if not progress.complete and not abandoned:
                deadline = time.monotonic() + limits.wall_seconds
            if time.monotonic() > deadline or self._pool.closed:
                raise WorkerDied(f"did not answer within {limits.wall_seconds:g} seconds")
            if job.recalled or (job.urgent and not process.set_nice(0)):
                raise _Displaced
            if abandoned:
                continue
            if job.aborted or self._should_leave(job):
                process.abandon()
                abandoned = True
            elif progress != sent and process.send_progress(progress):
                sent = progress
        return process.answer()

    def _should_leave(self, job: LayerJob) -> bool:
        idle = not job.progress.complete and job.idle_seconds > self._pool.limits.idle_seconds
        return idle and self._pool.is_crowded()

    def _ready(self, job: LayerJob) -> WorkerProcess:
        limits = self._pool.limits
        nice = 0 if job.urgent else limits.nice
        process = self._process
        if process is not None and (
            process.layers >= limits.recycle_layers
            or process.memory > limits.memory_bytes // 2
            or self._memory_bytes != limits.memory_bytes
            or not process.set_nice(nice)
        ):
            self._end()
        if self._process is None:
            self._memory_bytes = limits.memory_bytes
            self._process = _started(limits.memory_bytes, nice)
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None


def _started(memory_bytes: int, nice: int) -> WorkerProcess:
    refused = not_for_this_user()
    if refused:
        raise WorkerDied(f"could not be started: {refused}", passing=True)
    try:
        return WorkerProcess(memory_bytes, nice)
    except OSError as error:
        raise WorkerDied(f"could not be started: {error.strerror}", passing=True) from None
