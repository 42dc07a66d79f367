"""Whether somebody waits for what is being looked into, which may change while its layers are read."""

from policy.inspection.worker.job import LayerJob, Open
from policy.inspection.worker.pool import InspectionWorkers
from registry.oci.digest import Digest


class Urgency:
    """Of one look at one manifest. Its layers are read behind the server until somebody waits for the manifest."""

    def __init__(self, workers: InspectionWorkers, *, urgent: bool) -> None:
        self._workers = workers
        self._urgent = urgent
        self._layers: list[Digest] = []

    def under_way(self, digest: Digest) -> LayerJob | None:
        """The job that is reading the layer or about to, for whomever; hastened when somebody waits."""
        self._layers.append(digest)
        if self._urgent:
            self._workers.hasten(digest)
        return self._workers.outstanding(digest)

    def read(self, digest: Digest, opener: Open) -> LayerJob:
        """Have a layer read that is not under way."""
        return self._workers.inspect(digest, opener, urgent=self._urgent)

    def hasten(self) -> None:
        """Somebody waits from now on."""
        self._urgent = True
        for digest in self._layers:
            self._workers.hasten(digest)
