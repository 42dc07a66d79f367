"""The urgency of an inspection, which may change while its layers are read."""

from policy.inspection.worker.job import LayerJob, Open
from policy.inspection.worker.pool import InspectionWorkers
from registry.oci.digest import Digest


class Urgency:
    """The urgency of inspecting one manifest: its layers are read at low priority until somebody waits for it."""

    def __init__(self, workers: InspectionWorkers, *, urgent: bool) -> None:
        self._workers = workers
        self._urgent = urgent
        self._layers: set[Digest] = set()

    def under_way(self, digest: Digest) -> LayerJob | None:
        """The queued or running job of the layer, whoever started it; made urgent when somebody waits."""
        self._layers.add(digest)
        if self._urgent:
            self._workers.hasten(digest)
        return self._workers.outstanding(digest)

    def read(self, digest: Digest, opener: Open) -> LayerJob:
        """Start a job for a layer."""
        return self._workers.inspect(digest, opener, urgent=self._urgent)

    def hasten(self) -> None:
        """Make the inspection urgent: somebody waits."""
        self._urgent = True
        for digest in self._layers:
            self._workers.hasten(digest)
