"""A copy of a layer that has rotted costs nobody a verdict: what it is a copy of is read in its place."""

from pathlib import Path

from policy.inspection.worker.pool import InspectionWorkers
from registry.oci.digest import Digest
from registry.storage.blob_store import OpenedBlob
from tests.policy.inspection.worker.test_pool import LARGE, SMALL, stored, workers

__all__ = ["workers"]


def test_it_is_none_of_the_attempts(workers: InspectionWorkers, tmp_path: Path) -> None:
    """The store's own bytes are read as often as without a copy."""
    copies, read = [stored(tmp_path, SMALL)], [stored(tmp_path, b"wrong once"), stored(tmp_path, LARGE)]

    def opener() -> OpenedBlob:
        return copies[0]()._replace(discard=copies.clear) if copies else read.pop(0)()

    found = workers.inspect(Digest.of(LARGE), opener).future.result(30)
    assert (found.failure, copies, read) == ("", [], [])


def test_one_that_rots_again_and_again_is_damage(workers: InspectionWorkers, tmp_path: Path) -> None:
    """The reads have an end."""
    opened: list[OpenedBlob] = []

    def opener() -> OpenedBlob:
        opened.append(stored(tmp_path, SMALL)()._replace(discard=lambda: None))
        return opened[-1]

    found = workers.inspect(Digest.of(LARGE), opener).future.result(30)
    assert (found.damaged, len(opened)) == (opened[-1].stamp, 3)
