"""Passes uploads that may be layers to the inspection workers while they arrive (the registry's `Arrival`)."""

import os
from collections.abc import Callable

from policy.inspection.layer.head import HEAD, looks_like_layer
from policy.inspection.worker.job import LayerJob
from policy.inspection.worker.pool import InspectionWorkers
from registry.oci.digest import Digest
from registry.storage.blob_store import StagedBytes


class LayerArrival:
    """One upload. It is inspected from `follow_bytes` on, where starting a worker pays, if it begins like a layer.

    A worker follows a file. If the store has no file for it, the layer is read once it is stored.

    `announce` is called with the digest of a layer that a worker has followed, before others know that it is stored.
    """

    def __init__(
        self,
        workers: InspectionWorkers,
        staging: StagedBytes,
        follow_bytes: int,
        announce: Callable[[str], None] = lambda _digest: None,
    ) -> None:
        self._workers = workers
        self._staging = staging
        self._follow_bytes = follow_bytes
        self._announce = announce
        self._decided = False
        self._job: LayerJob | None = None

    def wrote(self, size: int) -> bool:
        """There are `size` bytes that will not change. Returns whether to report more."""
        if self._job is not None:
            self._job.grew(size)
        elif not self._decided and size >= self._follow_bytes:
            self._decided = True
            self._job = self._start_job(size)
        return self._job is not None or not self._decided

    def committed(self, digest: Digest, size: int) -> None:
        """The upload is a blob now."""
        if self._job is not None:
            self._announce(digest)
            self._workers.finished(self._job, digest, size)

    def aborted(self) -> None:
        """The upload was aborted."""
        if self._job is not None:
            self._workers.aborted(self._job)

    def _start_job(self, size: int) -> LayerJob | None:
        path = self._staging.path
        if path is None:
            return None
        try:
            if not looks_like_layer(self._staging.read_at(0, HEAD)):
                return None
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # the upload itself reports the error; the layer is read from the store later
            return None
        job = self._workers.follow(descriptor, size)
        if job is None:
            os.close(descriptor)
        return job
