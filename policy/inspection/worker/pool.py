"""The inspection workers: a bounded number of processes, started when first needed, and the queue before them."""

import threading
import time
from collections.abc import Callable
from typing import Any

from policy.inspection.worker.job import Inspected, LayerJob, Open
from policy.inspection.worker.limits import WorkerCounters, WorkerLimits
from policy.inspection.worker.process import WorkerDied, WorkerProcess
from policy.inspection.worker.queue import WaitingLayers

_ATTEMPTS = 2

Keep = Callable[[str, Inspected], None]


class InspectionWorkers:
    """Layers in, inspections out. Safe to use from any thread; nothing here blocks but `close`."""

    def __init__(self, limits: WorkerLimits, keep: Keep) -> None:
        """Start nothing yet.

        Args:
            limits: what the workers may cost.
            keep: called with digest and result before anybody waiting hears of it, from a thread of the pool.
        """
        self._limits = limits
        self._keep = keep
        self._condition = threading.Condition()
        self._waiting = WaitingLayers()
        self._threads: list[threading.Thread] = []
        self._slots: list[_Slot] = []
        self._closed = False
        self._outstanding: dict[str, LayerJob] = {}
        self.counters = WorkerCounters()

    def follow(self, descriptor: int, available: int) -> LayerJob | None:
        """Inspect a file that still grows, taking over its descriptor; `None` when too many wait already."""
        with self._condition:
            if self._closed or self._waiting.growing >= self._limits.follow_queue:
                return None
        job = LayerJob(descriptor, available)
        self._enqueue(job)
        return job

    def finished(self, job: LayerJob, digest: str, size: int) -> None:
        """The file of a followed job is whole; from now on its result can be waited for under its digest."""
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
        """The upload of a followed job came to nothing."""
        with self._condition:
            job.abort()
            if self._waiting.withdraw(job) or job.parked:
                self.drop(job)

    def follow_limits(self, limits: WorkerLimits) -> None:
        """Keep to other limits from the next layer on; processes beyond their number end after the layer at hand."""
        with self._condition:
            self._limits = limits
            while self._hire():
                pass
            self._condition.notify_all()

    def outstanding(self, digest: str) -> LayerJob | None:
        """The job that is reading or about to read this layer."""
        return self._outstanding.get(digest)

    def inspect(self, digest: str, opener: Open, *, urgent: bool = True) -> LayerJob:
        """Inspect a stored layer, opened in its turn; the same job for all who ask while it is under way.

        Args:
            digest: the layer.
            opener: opens its bytes.
            urgent: whether somebody waits for it; otherwise its reader stands back behind the server, until somebody
                asks who does.
        """
        with self._condition:
            known = self._outstanding.get(digest)
            if known is not None:
                if urgent:
                    self.hasten(digest)
                return known
            job = LayerJob(opener=opener)
            job.urgent = urgent
            job.digest = digest
            job.algorithm = digest.partition(":")[0]
            self._outstanding[digest] = job
        self._enqueue(job)
        return job

    def hasten(self, digest: str) -> None:
        """Somebody waits for a layer now, if it is under way."""
        with self._condition:
            job = self._outstanding.get(digest)
            if job is None or job.urgent:
                return
            waits = self._waiting.withdraw(job)
            job.hasten()
            if waits:
                self._enqueue(job)

    def close(self) -> None:
        """End all processes; whoever waits hears that the layer was not read."""
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
        return tuple(slot.pid for slot in self._slots if slot.pid)

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
        """Have a worker leave what nobody waits for when all are at work and something urgent waits.

        What it leaves is urgent from then on, so that it happens to no layer twice.
        """
        coming = sum(slot.comes_free for slot in self._slots)
        behind = (slot.job for slot in self._slots if slot.job is not None and not slot.job.urgent)
        job = next(behind, None)
        if job is not None and self._waiting.urgent > coming:
            job.hasten(recalled=True)

    def _hire(self) -> bool:
        """Start one more process when more work waits than processes do, and the number allows it."""
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
        """Wait for work, the most urgent first; `None` when the pool closes, is to shrink, or has had none for long."""
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
        """A thread that was told to leave has ended its process."""
        with self._condition:
            self._threads.remove(thread)

    def _is_overstaffed(self) -> bool:
        return len(self._slots) > self._limits.workers

    def is_crowded(self) -> bool:
        """Whether work is waiting that a worker at an idle upload could do."""
        return len(self._waiting) > 0

    def settle(self, job: LayerJob, answer: dict[str, Any], body: bytes) -> None:
        """Take a worker's answer: keep it, or try again when it does not fit the layer's digest."""
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
        """A worker could not do it: try once more, then say why, and whether that is likely to pass."""
        job.attempts += 1
        if job.attempts < _ATTEMPTS:
            self._put_back(job)
        else:
            self._give_up(job, reason, passing=passing)

    def _found_damaged(self, job: LayerJob) -> None:
        """Other bytes than those of the digest: read once more, then told of. The layer is something else."""
        job.attempts += 1
        if job.attempts < _ATTEMPTS:
            self._put_back(job)
        else:
            reason = "the stored bytes are not those of the layer's digest"
            self._give(job, Inspected(b"", reason, 0, passing=True, damaged=job.seen()))

    def left(self, job: LayerJob) -> None:
        """A worker has left it to something more urgent, or because it could not hurry."""
        job.recalled = False
        job.release()
        self._enqueue(job, makes_way=False)

    def drop(self, job: LayerJob) -> None:
        """Nobody wants the layer any more."""
        self._give_up(job, "the upload came to nothing")

    def _put_back(self, job: LayerJob) -> None:
        """Read it again: at once when it is whole, else when it will be."""
        with self._condition:
            if job.aborted:
                self.drop(job)
            elif job.progress.complete:
                job.release()
                self._enqueue(job)
            else:
                job.parked = True

    def _give(self, job: LayerJob, found: Inspected) -> None:
        try:
            self._keep(job.digest, found)
        finally:
            with self._condition:
                if self._outstanding.get(job.digest) is job:
                    del self._outstanding[job.digest]
            job.close(found)

    def _give_up(self, job: LayerJob, reason: str, *, passing: bool = False) -> None:
        found = Inspected(b"", reason, 0, passing)
        if job.digest and not self._closed:
            self._give(job, found)
            return
        self._outstanding.pop(job.digest, None)
        job.close(found)

    @property
    def limits(self) -> WorkerLimits:
        """What the workers may cost."""
        return self._limits


class _Displaced(Exception):
    """The layer at hand is to be left: something more urgent waits, or its reader stands back and cannot hurry."""


class _Slot:
    """One thread and the process it looks after."""

    def __init__(self, pool: InspectionWorkers) -> None:
        self._pool = pool
        self._process: WorkerProcess | None = None
        self._memory_bytes = 0
        self.job: LayerJob | None = None

    @property
    def comes_free(self) -> bool:
        """Whether it has nothing to read, or is about to leave it."""
        return self.job is None or self.job.recalled

    @property
    def pid(self) -> int:
        """The id of its process; 0 while there is none."""
        process = self._process
        return 0 if process is None else process.pid

    def run(self) -> None:
        """Take jobs until the pool closes."""
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
        """Stay with one layer until its answer is there.

        Raises:
            WorkerDied: the process is gone, or had to be ended.
            _Displaced: it is to be ended, and the layer read anew.
        """
        job.listen(process.wake)
        try:
            return self._follow(process, job)
        finally:
            job.listen(None)

    def _follow(self, process: WorkerProcess, job: LayerJob) -> tuple[dict[str, Any], bytes]:
        limits = self._pool.limits
        told = process.start(job, limits.budgets)
        abandoned = False
        deadline = time.monotonic() + limits.wall_seconds
        while not process.wait():
            progress = job.progress
            if not progress.complete and not abandoned:
                deadline = time.monotonic() + limits.wall_seconds
            if time.monotonic() > deadline or self._pool.closed:
                raise WorkerDied(f"did not answer within {limits.wall_seconds:g} seconds")
            if job.recalled or (job.urgent and not process.stand_back(0)):
                raise _Displaced
            if abandoned:
                continue
            if job.aborted or self._should_leave(job):
                process.abandon()
                abandoned = True
            elif progress != told and process.tell(progress):
                told = progress
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
            or not process.stand_back(nice)
        ):
            self._end()
        if self._process is None:
            self._memory_bytes = limits.memory_bytes
            try:
                self._process = WorkerProcess(limits.memory_bytes, nice)
            except OSError as error:
                raise WorkerDied(f"could not be started: {error.strerror}", passing=True) from None
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None
