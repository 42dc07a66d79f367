"""What is counted of all rows, on each engine."""

from registry.oci.names import Tag
from registry.telemetry.store_metrics import count
from tests.registry.open_services import OTHER, OpenServices


def test_what_metrics_tell_is_counted(services: OpenServices) -> None:
    """Blobs of several repositories once."""
    services.run(services.push_image(Tag("v1"), (b"layer",)))
    services.run(services.push_image(Tag("v1"), (b"layer", b"other"), OTHER))
    held = services.run(services.metadata.read_apart(count, []))
    assert (held.repositories, held.tags, held.manifests, held.blobs) == (2, 2, 2, 3)
    assert held.bytes == len(b"{}" + b"layer" + b"other")
