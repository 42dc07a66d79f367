"""The inspection workers: real processes that read real layers, and what happens when they cannot."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from policy.inspection.budgets import Budgets
from policy.inspection.layer.contents_table import ContentsTable
from policy.inspection.layer.report import LayerInspection
from policy.inspection.worker.job import Inspected, Open
from policy.inspection.worker.limits import WorkerLimits
from policy.inspection.worker.pool import InspectionWorkers
from policy.inspection.worker.upload_follower import LayerArrival
from registry.oci.digest import Digest
from registry.storage.disk.reading import open_file
from tests.corpus.lazy_layers import Lie, Table, unchanged, zstd_chunked
from tests.corpus.tarballs import file
from tests.policy.images_made import base, layer, noise
from tests.waiting import wait_until

LIMITS = WorkerLimits(
    workers=1,
    memory_bytes=1 << 30,
    wall_seconds=60,
    recycle_layers=100,
    nice=0,
    follow_queue=4,
    budgets=Budgets(),
    idle_seconds=0.1,
)
SMALL = layer(base())
LARGE = layer(base() | {"opt/data": noise(300_000)})


class Kept(dict[str, Inspected]):
    """What the workers found, by digest."""


@contextmanager
def open_workers(limits: WorkerLimits = LIMITS) -> Iterator[tuple[InspectionWorkers, Kept]]:
    """A pool that is closed at the end of the block."""
    kept = Kept()
    pool = InspectionWorkers(limits, kept.__setitem__)
    try:
        yield pool, kept
    finally:
        pool.close()


@pytest.fixture
def workers() -> Iterator[InspectionWorkers]:
    """One worker with the usual limits."""
    with open_workers() as (pool, _):
        yield pool


class GrowingFile:
    """Bytes that arrive in a file of their own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self.path.stat().st_size

    def read_at(self, start: int, length: int) -> bytes:
        """Some of them."""
        return self.path.read_bytes()[start : start + length]


def stored(folder: Path, content: bytes) -> Open:
    """A layer in a file, to be opened."""
    path = folder / Digest.of(content).encoded
    path.write_bytes(content)
    return partial(open_file, path)


def found_by(kept: Kept, content: bytes) -> Inspected:
    """What is found of a layer, as soon as it is."""
    wait_until(lambda: Digest.of(content) in kept, 30)
    return kept[Digest.of(content)]


def read(pool: InspectionWorkers, folder: Path, content: bytes) -> Inspected:
    """Have a stored layer inspected."""
    return pool.inspect(Digest.of(content), stored(folder, content)).future.result(30)


def arrive(pool: InspectionWorkers, staging: Path, content: bytes, pieces: int = 8) -> LayerArrival:
    """Upload all bytes of a layer, piece by piece, telling the pool; not committed yet."""
    arrival = LayerArrival(pool, GrowingFile(staging), 64 * 1024)
    step = len(content) // pieces + 1
    with staging.open("wb", buffering=0) as file:
        for at in range(0, len(content), step):
            file.write(content[at : at + step])
            arrival.wrote(file.tell())
    return arrival


def table_in(found: Inspected) -> ContentsTable | None:
    """What a worker found of the table of contents of a layer that it read whole."""
    inspection = LayerInspection.from_bytes(found.body)
    assert inspection.problem is None
    return inspection.contents_table


def lazy(lie: Lie = unchanged) -> bytes:
    """A zstd:chunked layer that is large enough to be followed while it arrives."""
    return zstd_chunked([file("opt/data", noise(300_000))], lie, chunk=50_000).blob


def renamed(table: Table) -> None:
    """A lie: the file has another name in the table."""
    table[0]["name"] = "opt/other"


def test_a_worker_compares_a_table_of_contents(workers: InspectionWorkers, tmp_path: Path) -> None:
    """In the confined process, with the file that it was given."""
    true, false = (table_in(read(workers, tmp_path, lazy(lie))) for lie in (unchanged, renamed))
    assert true is not None
    assert true.disagreement == ""
    assert false is not None
    assert "'opt/other' in its place" in false.disagreement


def test_a_worker_compares_the_table_of_an_upload_that_it_follows(workers: InspectionWorkers, tmp_path: Path) -> None:
    """The table comes last: it is read when the upload is whole."""
    content = lazy(renamed)
    arrive(workers, tmp_path / "staging", content).committed(Digest.of(content), len(content))
    job = workers.outstanding(Digest.of(content))
    assert job is not None
    table = table_in(job.future.result(30))
    assert table is not None
    assert "'opt/other' in its place" in table.disagreement


def pid_of(pool: InspectionWorkers) -> int:
    """The process id of the only worker, once it runs."""
    wait_until(lambda: bool(pool.pids), 10)
    return pool.pids[0]


def test_a_stored_layer_is_inspected(workers: InspectionWorkers, tmp_path: Path) -> None:
    """The answer is a layer inspection with what the layer holds."""
    found = LayerInspection.from_bytes(read(workers, tmp_path, SMALL).body)
    assert found.problem is None
    assert found.records[b"etc/os-release"].values["VERSION_ID"] == "16.04"


def test_an_arriving_layer_gives_the_same_inspection(workers: InspectionWorkers, tmp_path: Path) -> None:
    """Whether it was read while it arrived or from the store makes no difference, though the file is gone."""
    arrival = arrive(workers, tmp_path / "staging", LARGE)
    (tmp_path / "staging").unlink()
    arrival.committed(Digest.of(LARGE), len(LARGE))
    job = workers.outstanding(Digest.of(LARGE))
    assert job is not None
    assert job.future.result(30).body == read(workers, tmp_path, LARGE).body


def test_the_result_is_kept_before_anybody_hears_of_it(tmp_path: Path) -> None:
    """Whoever waits finds it in policy.db."""
    with open_workers() as (pool, kept):
        found = read(pool, tmp_path, SMALL)
        assert kept == {Digest.of(SMALL): found}
        assert pool.outstanding(Digest.of(SMALL)) is None


def test_all_who_ask_share_one_reading(workers: InspectionWorkers, tmp_path: Path) -> None:
    """A layer that is asked for twice is opened once."""
    opener = stored(tmp_path, LARGE)
    jobs = {id(workers.inspect(Digest.of(LARGE), opener)) for _ in range(3)}
    assert len(jobs) == 1


def test_small_uploads_and_other_content_are_not_followed(workers: InspectionWorkers, tmp_path: Path) -> None:
    """A configuration costs no worker anything."""
    for number, content in enumerate((SMALL, noise(200_000))):
        arrival = arrive(workers, tmp_path / str(number), content)
        arrival.committed(Digest.of(content), len(content))
        assert workers.outstanding(Digest.of(content)) is None
    assert workers.pids == ()


def test_a_digest_that_is_not_the_bytes_is_noticed(workers: InspectionWorkers, tmp_path: Path) -> None:
    """What a worker saw is bound to the digest, whatever the server believes."""
    found = workers.inspect(Digest.of(b"something else"), stored(tmp_path, SMALL)).future.result(30)
    assert (found.body, found.failure) == (b"", "the stored bytes are not those of the layer's digest")


def test_a_sha512_digest_is_checked_too(workers: InspectionWorkers, tmp_path: Path) -> None:
    """A layer followed under one algorithm and committed under another is read again."""
    arrival = arrive(workers, tmp_path / "staging", LARGE)
    digest = Digest.of(LARGE, "sha512")
    arrival.committed(digest, len(LARGE))
    job = workers.outstanding(digest)
    assert job is not None
    assert job.future.result(30).failure == ""


def test_a_killed_worker_is_replaced_and_the_layer_read_again(workers: InspectionWorkers, tmp_path: Path) -> None:
    """One death costs nobody anything."""
    arrival = arrive(workers, tmp_path / "staging", LARGE)
    first = pid_of(workers)
    os.kill(first, signal.SIGKILL)
    arrival.committed(Digest.of(LARGE), len(LARGE))
    job = workers.outstanding(Digest.of(LARGE))
    assert job is not None
    assert job.future.result(30).failure == ""
    assert pid_of(workers) != first


def test_a_worker_that_dies_twice_is_the_answer(tmp_path: Path) -> None:
    """A layer on which every worker dies is inconclusive with the reason, and nobody tries for ever."""
    with open_workers() as (pool, kept):
        job = pool.inspect(Digest.of(LARGE), stored(tmp_path, LARGE))
        while not job.future.done():
            for pid in pool.pids:  # a process that is still starting, which takes far longer than this loop
                assert pid, "process 0 would be the group of these tests"
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.001)
        assert job.future.result().failure.startswith("the inspection worker ")
        assert kept[Digest.of(LARGE)].failure
        assert kept[Digest.of(LARGE)].passing
        assert pool.counters.deaths == 2


def test_a_worker_that_hangs_is_killed(tmp_path: Path) -> None:
    """Past the time it is given a worker is ended, and the layer read by another (which has that time to start in)."""
    with open_workers(replace(LIMITS, wall_seconds=3.0)) as (pool, _):
        arrival = arrive(pool, tmp_path / "staging", LARGE)
        os.kill(pid_of(pool), signal.SIGSTOP)
        arrival.committed(Digest.of(LARGE), len(LARGE))
        job = pool.outstanding(Digest.of(LARGE))
        assert job is not None
        assert job.future.result(30).failure == ""
        assert pool.counters.deaths == 1


def test_an_idle_upload_gives_way_to_a_whole_layer(tmp_path: Path) -> None:
    """A stalled client does not keep the only worker; its layer is read when it is whole."""
    with open_workers() as (pool, kept):
        arrival = arrive(pool, tmp_path / "staging", LARGE)
        assert read(pool, tmp_path, SMALL).failure == ""
        arrival.committed(Digest.of(LARGE), len(LARGE))
        assert found_by(kept, LARGE).failure == ""


def test_an_aborted_upload_frees_the_worker(workers: InspectionWorkers, tmp_path: Path) -> None:
    """Nobody waits for what will not come."""
    arrive(workers, tmp_path / "staging", LARGE).aborted()
    assert read(workers, tmp_path, SMALL).failure == ""


def test_too_many_uploads_are_not_followed(tmp_path: Path) -> None:
    """Past the queue's length an upload is left to be read later, and no file stays open for it."""
    with open_workers(replace(LIMITS, follow_queue=0)) as (pool, _):
        arrive(pool, tmp_path / "staging", LARGE).committed(Digest.of(LARGE), len(LARGE))
        assert pool.outstanding(Digest.of(LARGE)) is None


def test_workers_are_replaced_after_some_layers(tmp_path: Path) -> None:
    """Whatever a process has gathered goes with it."""
    with open_workers(replace(LIMITS, recycle_layers=1)) as (pool, _):
        read(pool, tmp_path, SMALL)
        first = pid_of(pool)
        read(pool, tmp_path, LARGE)
        assert pid_of(pool) != first


def test_a_damaged_layer_is_an_answer_and_no_failure(workers: InspectionWorkers, tmp_path: Path) -> None:
    """What is wrong with the bytes is known for ever, and the worker lives on."""
    found = read(workers, tmp_path, LARGE[: len(LARGE) // 2])
    problem = LayerInspection.from_bytes(found.body).problem
    assert problem is not None
    assert problem.reason == "damaged-layer"
    assert workers.counters.deaths == 0


def test_budgets_reach_the_worker(tmp_path: Path) -> None:
    """A setting decides how far a layer is read."""
    with open_workers(replace(LIMITS, budgets=Budgets(uncompressed_bytes=4096))) as (pool, _):
        problem = LayerInspection.from_bytes(read(pool, tmp_path, LARGE).body).problem
        assert problem is not None
        assert problem.reason == "budget"


def test_closing_ends_every_process_and_every_wait(tmp_path: Path) -> None:
    """Who waits is told, and nothing is left running."""
    with open_workers() as (pool, kept):
        arrival = arrive(pool, tmp_path / "staging", LARGE)
        pid = pid_of(pool)
        os.kill(pid, signal.SIGSTOP)
        arrival.committed(Digest.of(LARGE), len(LARGE))
        waiting = pool.inspect(Digest.of(SMALL), stored(tmp_path, SMALL))
        pool.close()
        assert waiting.future.result(1).failure == "the server is stopping"
        assert (pool.pids, kept) == ((), {})
        assert not Path(f"/proc/{pid}").exists()


def test_a_layer_whose_file_is_gone_is_an_answer(workers: InspectionWorkers, tmp_path: Path) -> None:
    """A file that was collected meanwhile is said to be missing, and holds nobody up."""
    found = workers.inspect(Digest.of(SMALL), partial(open_file, tmp_path / "none")).future.result(30)
    assert found.failure == "the layer's file cannot be opened: No such file or directory"
    assert read(workers, tmp_path, LARGE).failure == ""


def test_waiting_layers_keep_no_files_open(workers: InspectionWorkers, tmp_path: Path) -> None:
    """However many wait for a worker, only those at hand are open."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    jobs = [workers.inspect(Digest.of(b"%d" % number), stored(tmp_path, SMALL)) for number in range(200)]
    assert len(list(Path("/proc/self/fd").iterdir())) < before + 50
    assert all(job.future.result(60).failure for job in jobs)


def await_processes(pool: InspectionWorkers, number: int) -> None:
    """Wait until so many processes run."""
    wait_until(lambda: len(pool.pids) == number, 20)


def test_more_processes_take_what_waits_at_once(tmp_path: Path) -> None:
    """While the only worker is at a stalled upload, a second one that is granted reads the next."""
    patient = replace(LIMITS, idle_seconds=600)
    with open_workers(patient) as (pool, _):
        arrivals = [arrive(pool, tmp_path / name, LARGE) for name in ("a", "b")]
        await_processes(pool, 1)
        pool.apply_limits(replace(patient, workers=2))
        await_processes(pool, 2)
        for arrival in arrivals:
            arrival.aborted()


def test_fewer_processes_end_after_the_layers_at_hand(tmp_path: Path) -> None:
    """None of what they were reading is lost."""
    contents = (LARGE, LARGE + b"b")
    with open_workers(replace(LIMITS, workers=2)) as (pool, _):
        arrivals = [arrive(pool, tmp_path / str(at), content) for at, content in enumerate(contents)]
        await_processes(pool, 2)
        pool.apply_limits(LIMITS)
        for arrival, content in zip(arrivals, contents, strict=True):
            arrival.committed(Digest.of(content), len(content))
        jobs = [pool.inspect(Digest.of(content), stored(tmp_path, content)) for content in contents]
        assert [job.future.result(30).failure for job in jobs] == ["", ""]
        await_processes(pool, 1)


def test_a_process_that_is_not_needed_ends(tmp_path: Path) -> None:
    """Its memory is free again, and the next layer gets another."""
    with open_workers(replace(LIMITS, rest_seconds=0.05)) as (pool, _):
        for content in (SMALL, LARGE):
            assert read(pool, tmp_path, content).failure == ""
            await_processes(pool, 0)


def test_a_process_under_other_limits_is_replaced(workers: InspectionWorkers, tmp_path: Path) -> None:
    """Memory is confined for good when a process starts, so that a new limit needs a new process."""
    read(workers, tmp_path, SMALL)
    first = pid_of(workers)
    workers.apply_limits(replace(LIMITS, memory_bytes=900 << 20))
    read(workers, tmp_path, LARGE)
    assert pid_of(workers) != first


def test_new_budgets_count_for_the_next_layer(workers: InspectionWorkers, tmp_path: Path) -> None:
    """The process that runs is told with each layer what it may cost."""
    workers.apply_limits(replace(LIMITS, budgets=Budgets(uncompressed_bytes=4096)))
    problem = LayerInspection.from_bytes(read(workers, tmp_path, LARGE).body).problem
    assert problem is not None
    assert problem.reason == "budget"
