"""Events in the forms that receivers know: CloudEvents, and the notifications of distribution and of ACR."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from registry.config.settings import RegistrySettings
from registry.metadata.events import Kind, Recorded
from registry.notifications.document import document_of
from registry.oci.timestamp import exact_timestamp

_OCTETS = "application/octet-stream"
_DOCKER: Mapping[str, str] = {
    Kind.BLOB_PUSHED: "push",
    Kind.BLOB_MOUNTED: "mount",
    Kind.BLOB_DELETED: "delete",
    Kind.MANIFEST_PUSHED: "push",
    Kind.MANIFEST_RESTORED: "push",
    Kind.MANIFEST_DELETED: "delete",
    Kind.TAG_DELETED: "delete",
    Kind.REPOSITORY_DELETED: "delete",
}
_ACR: Mapping[str, str] = {
    Kind.MANIFEST_PUSHED: "push",
    Kind.MANIFEST_RESTORED: "push",
    Kind.MANIFEST_DELETED: "delete",
    Kind.REPOSITORY_DELETED: "delete",
}


@dataclass(frozen=True, slots=True)
class Payload:
    """One delivery. The same event gives the same one on every try.

    Attributes:
        id: of the delivery.
        media_type, body: what is sent.
        tag: the one that it tells of; "" when it tells of the whole event.
    """

    id: str
    media_type: str
    body: bytes
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who tells: the id of the store (a UUID), and the name of the registry, or ""."""

    store: str
    host: str = ""


def host_of(settings: RegistrySettings) -> str:
    """What receivers are told that this registry is called."""
    return settings.events.host or settings.auth.service or settings.listen


Form = Callable[[Recorded, Origin], Iterator[Payload]]


def cloudevents(recorded: Recorded, origin: Origin) -> Iterator[Payload]:
    """CloudEvents 1.0, structured: one for each event."""
    event = recorded.event
    suffix = f":{event.tag}" if event.tag else f"@{event.digest}" if event.digest else ""
    document = {
        "specversion": "1.0",
        "id": str(recorded.id),
        "source": f"urn:uuid:{origin.store}",
        "type": f"basegate.{event.kind}",
        "subject": f"{event.repository}{suffix}",
        "time": exact_timestamp(recorded.time),
        "datacontenttype": "application/json",
        "data": document_of(recorded),
    }
    yield Payload(f"{origin.store}.{recorded.id}", "application/cloudevents+json", _json(document))


def docker(recorded: Recorded, origin: Origin) -> Iterator[Payload]:
    """What distribution sends: an envelope with one event for each tag of a push. Other kinds are left out."""
    action = _DOCKER.get(recorded.event.kind)
    if action is None:
        return
    events = [
        {
            "id": _id(recorded, origin, number),
            "timestamp": exact_timestamp(recorded.time),
            "action": action,
            "target": target,
            "request": {"host": origin.host, "method": _method(action)},
            "actor": {"name": recorded.by},
            "source": {"addr": origin.host, "instanceID": origin.store},
        }
        for number, target in enumerate(_targets(recorded))
    ]
    media_type = "application/vnd.docker.distribution.events.v1+json"
    yield Payload(f"{origin.store}.{recorded.id}", media_type, _json({"events": events}))


def acr(recorded: Recorded, origin: Origin) -> Iterator[Payload]:
    """What ACR's webhooks send: one object for each tag of a push. Other kinds are left out."""
    action = _ACR.get(recorded.event.kind)
    if action is None:
        return
    for number, target in enumerate(_targets(recorded)):
        message_id = _id(recorded, origin, number)
        document = {
            "id": message_id,
            "timestamp": exact_timestamp(recorded.time),
            "action": action,
            "target": target,
            "request": {"id": message_id, "host": origin.host, "method": _method(action), "useragent": ""},
        }
        yield Payload(message_id, "application/json", _json(document), target.get("tag", ""))


FORMS: Mapping[str, Form] = {"cloudevents": cloudevents, "docker": docker, "acr": acr}


def ping(format_name: str, origin: Origin, now: float) -> Payload:
    """What tells a receiver nothing but that it is heard."""
    message_id, time = str(uuid.uuid4()), exact_timestamp(now)
    if format_name == "docker":
        return Payload(message_id, "application/vnd.docker.distribution.events.v1+json", _json({"events": []}))
    if format_name == "acr":
        return Payload(message_id, "application/json", _json({"id": message_id, "timestamp": time, "action": "ping"}))
    source = f"urn:uuid:{origin.store}"
    document = {"specversion": "1.0", "id": message_id, "source": source, "type": "basegate.ping", "time": time}
    return Payload(message_id, "application/cloudevents+json", _json(document))


def _targets(recorded: Recorded) -> list[dict[str, Any]]:
    event, told = recorded.event, recorded.event.details
    target: dict[str, Any] = {"repository": event.repository}
    if event.digest:
        target |= {"mediaType": told.get("media_type", _OCTETS), "digest": event.digest}
    if "size" in told:
        target |= {"size": told["size"], "length": told["size"]}
    tags = told.get("tags") or ([event.tag] if event.tag else [])
    return [{**target, "tag": tag} for tag in tags] or [target]


def _method(action: str) -> str:
    return {"delete": "DELETE", "mount": "POST"}.get(action, "PUT")


def _id(recorded: Recorded, origin: Origin, number: int) -> str:
    return str(uuid.uuid5(uuid.UUID(origin.store), f"{recorded.id}.{number}"))


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
