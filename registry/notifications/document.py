"""An event as JSON, as the feed and CloudEvents have it."""

from typing import Any

from registry.metadata.events import Recorded
from registry.oci.timestamp import exact_timestamp


def document_of(recorded: Recorded) -> dict[str, Any]:
    """What the feed tells of an event; what does not apply is left out."""
    event = recorded.event
    told = {
        "id": recorded.id,
        "time": exact_timestamp(recorded.time),
        "kind": event.kind,
        "repository": event.repository,
        "digest": event.digest,
        "tag": event.tag,
        "actor": {"id": event.principal, "name": recorded.by} if event.principal else None,
        "details": dict(event.details),
    }
    return {name: value for name, value in told.items() if value}
