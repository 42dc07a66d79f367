"""Workers stand back while nobody waits for what they read, and only then: asked of the processes themselves."""

import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from policy.inspection.worker.pool import InspectionWorkers
from registry.oci.digest import Digest
from tests.policy.images_made import base, layer
from tests.policy.inspection.worker.test_pool import (
    LARGE,
    LIMITS,
    SMALL,
    arrive,
    open_workers,
    pid_of,
    read,
    stored,
)

BACK = 7
FIRST = layer(base() | {"opt/first": b"1"})
NICED = replace(LIMITS, nice=BACK)
_CAP_SYS_NICE = 23
_CAPABILITY_VERSION_3 = 0x20080522


@pytest.fixture
def workers() -> Iterator[InspectionWorkers]:
    """One worker that stands back for what nobody waits for."""
    with open_workers(NICED) as (pool, _):
        yield pool


def niceness(pid: int) -> int:
    """How far a process stands back behind this one, with all of its threads."""
    own = os.getpriority(os.PRIO_PROCESS, 0)
    threads = Path(f"/proc/{pid}/task").iterdir()
    found = {os.getpriority(os.PRIO_PROCESS, int(thread.name)) - own for thread in threads}
    if not found:
        raise ProcessLookupError(pid)
    assert len(found) == 1
    return found.pop()


def becomes(condition: Callable[[], bool]) -> bool:
    """Whether it comes true within a while."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError, IndexError):  # a process that has ended, and the next is not there yet
            if condition():
                return True
        time.sleep(0.01)
    return False


def held_in_the_background(pool: InspectionWorkers, folder: Path, content: bytes) -> int:
    """Have a layer read for which nobody waits, by a process that is stopped before it begins."""
    first = pool.inspect(Digest.of(FIRST), stored(folder, FIRST), urgent=False)
    assert first.future.result(30).failure == ""
    pid = pid_of(pool)
    os.kill(pid, signal.SIGSTOP)
    assert niceness(pid) == BACK
    pool.inspect(Digest.of(content), stored(folder, content), urgent=False)
    assert becomes(lambda: not pool.is_crowded())
    return pid


def unprivileged(work: Callable[[], None]) -> None:
    """Do something in a thread that may not make a process less nice, as an ordinary user may not."""
    raised: list[BaseException] = []

    def run() -> None:
        header, sets = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
        library = ctypes.CDLL(None, use_errno=True)
        assert library.capget(header, sets) == 0
        sets[0] &= ~(1 << _CAP_SYS_NICE)
        assert library.capset(header, sets) == 0
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told in the thread that waits
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert raised == []


def privileged(work: Callable[[], None]) -> None:
    """Do it as who runs the tests."""
    work()


RIGHTS = pytest.mark.parametrize("rights", [unprivileged, privileged])


def test_what_somebody_waits_for_is_read_without_standing_back(workers: InspectionWorkers, tmp_path: Path) -> None:
    """A stored layer and one that arrives."""
    read(workers, tmp_path, SMALL)
    assert niceness(pid_of(workers)) == 0
    arrival = arrive(workers, tmp_path / "staging", LARGE)
    assert niceness(pid_of(workers)) == 0
    arrival.aborted()


def test_what_nobody_waits_for_is_read_behind_the_server(workers: InspectionWorkers, tmp_path: Path) -> None:
    """As far behind as the setting says."""
    job = workers.inspect(Digest.of(SMALL), stored(tmp_path, SMALL), urgent=False)
    assert job.future.result(30).failure == ""
    assert niceness(pid_of(workers)) == BACK


@RIGHTS
def test_one_worker_does_both(rights: Callable[[Callable[[], None]], None], tmp_path: Path) -> None:
    """Each layer as it is wanted, whatever the one before was, and whatever the user may do."""

    def both() -> None:
        with open_workers(NICED) as (pool, _):
            for number, urgent in enumerate((False, True, False, True)):
                content = LARGE + bytes(number)
                job = pool.inspect(Digest.of(content), stored(tmp_path, content), urgent=urgent)
                assert job.future.result(30).failure == ""
                assert niceness(pid_of(pool)) == (0 if urgent else BACK)

    rights(both)


@RIGHTS
def test_a_layer_is_hastened_when_somebody_comes_to_wait(
    rights: Callable[[Callable[[], None]], None], tmp_path: Path
) -> None:
    """While it is being read already; nothing counts as a failure."""

    def hasten() -> None:
        with open_workers(NICED) as (pool, _):
            pid = held_in_the_background(pool, tmp_path, LARGE)
            job = pool.inspect(Digest.of(LARGE), stored(tmp_path, LARGE))
            assert becomes(lambda: niceness(pid_of(pool)) == 0)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
            assert job.future.result(30).failure == ""
            assert pool.counters.deaths == 0

    rights(hasten)


def test_what_waits_in_the_background_is_hastened_too(workers: InspectionWorkers, tmp_path: Path) -> None:
    """It comes before everything that nobody waits for."""
    pid = held_in_the_background(workers, tmp_path, LARGE)
    jobs = [workers.inspect(Digest.of(b"%d" % at), stored(tmp_path, SMALL), urgent=False) for at in range(3)]
    ended: list[str] = []
    for job in jobs:
        job.future.add_done_callback(lambda _found, digest=job.digest: ended.append(digest))  # type: ignore[misc]
    workers.hasten(jobs[-1].digest)
    assert all(job.future.result(30).failure for job in jobs)
    assert not Path(f"/proc/{pid}").exists()
    assert ended[0] == jobs[-1].digest


def test_a_push_does_not_wait_for_what_nobody_waits_for(workers: InspectionWorkers, tmp_path: Path) -> None:
    """The only worker leaves a layer in the background for it, and goes back to it, once."""
    pid = held_in_the_background(workers, tmp_path, LARGE)
    behind = workers.outstanding(Digest.of(LARGE))
    assert read(workers, tmp_path, SMALL).failure == ""
    assert not Path(f"/proc/{pid}").exists()
    assert behind is not None
    assert behind.future.result(30).failure == ""
    assert workers.counters.deaths == 0


def test_an_upload_that_arrives_is_not_kept_waiting_either(workers: InspectionWorkers, tmp_path: Path) -> None:
    """Its bytes are read while they come."""
    pid = held_in_the_background(workers, tmp_path, SMALL)
    arrival = arrive(workers, tmp_path / "staging", LARGE)
    assert becomes(lambda: pid_of(workers) != pid and niceness(pid_of(workers)) == 0)
    arrival.aborted()


def test_only_as_many_give_way_as_are_needed(tmp_path: Path) -> None:
    """Of two workers one goes on with what it reads in the background."""
    with open_workers(replace(NICED, workers=2)) as (pool, _):
        contents = (LARGE, LARGE + b"b")
        for content in contents:
            pool.inspect(Digest.of(content), stored(tmp_path, content), urgent=False)
        assert becomes(lambda: len(pool.pids) == 2)
        pids = pool.pids
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        assert read(pool, tmp_path, SMALL).failure == ""
        assert len(set(pids) & set(pool.pids)) == 1
