"""Webhooks as sinks: told in ACR's form, with a note of each delivery."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from registry.metadata.events import Kind
from registry.metadata.webhooks import PREFIX, Webhook
from registry.notifications.formats import Payload
from registry.notifications.outcome import Outcome
from registry.notifications.sink import Sink

_KINDS: Mapping[str, tuple[str, ...]] = {
    "push": (Kind.MANIFEST_PUSHED, Kind.MANIFEST_RESTORED),
    "delete": (Kind.MANIFEST_DELETED, Kind.REPOSITORY_DELETED),
}
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def sink_of(webhook: Webhook, *, local: bool) -> Sink:
    """The sink of a webhook; `local`: it may be on this machine."""
    repository, _, tag = webhook.scope.partition(":")
    return Sink(
        name=f"{PREFIX}{webhook.name}",
        url=webhook.url,
        format="acr",
        kinds=tuple(kind for action in webhook.actions for kind in _KINDS.get(action, ())),
        repositories=(repository or "*",),
        tags=tag or "*",
        headers=tuple(webhook.headers.items()),
        local=local,
    )


def delivery_document(sink: Sink, payload: Payload, outcome: Outcome) -> dict[str, Any]:
    """What `list-events` shows of a delivery."""
    return {
        "id": payload.id,
        "eventRequestMessage": {
            "content": json.loads(payload.body),
            "headers": {"Content-Type": payload.media_type},
            "method": "POST",
            "requestUri": sink.shown_url,
            "version": "1.1",
        },
        "eventResponseMessage": {
            "content": outcome.problem,
            "headers": {},
            "reasonPhrase": _PHRASES.get(outcome.status, ""),
            "statusCode": str(outcome.status),
            "version": "1.1",
        },
    }
