"""The handlers of `az acr webhook`: addresses that are told of pushes and deletes."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.azure.arm_body import list_in, objects_in, read_object, text_in
from policy.azure.arm_errors import ArmError
from policy.azure.management.dispatch import Call
from policy.azure.management.environment import REGISTRY_TYPE, AzureEnvironment
from policy.azure.management.resources import within_registry
from registry.config.events import EventSettings
from registry.metadata import webhooks
from registry.metadata.identity import identity
from registry.metadata.store import MetadataStore
from registry.metadata.webhooks import Webhook
from registry.notifications.formats import Origin, ping
from registry.notifications.webhook_sinks import delivery_document, sink_of

_NAME = re.compile(r"[a-zA-Z0-9]{5,50}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
"""A name of a header field: RFC 9110, section 5.6.2."""
_ACTIONS = frozenset({"push", "delete", "quarantine", "chart_push", "chart_delete"})
_INVALID = "InvalidRequestContent"
_PRIVATE = {"Cache-Control": "no-store"}


class WebhookHandlers:
    """The handlers.

    Args:
        metadata: where webhooks are.
        environment: Azure as the caller of a request sees it.
        body_bytes: largest body.
        settings: those of events.
    """

    def __init__(
        self,
        metadata: MetadataStore,
        environment: Callable[[Request], AzureEnvironment],
        body_bytes: Callable[[], int],
        settings: Callable[[], EventSettings],
    ) -> None:
        self._metadata = metadata
        self._environment = environment
        self._body_bytes = body_bytes
        self._settings = settings

    async def every(self, call: Call) -> Response:
        """GET: all webhooks."""
        environment = within_registry(call, self._environment(call.request))
        found = await self._metadata.read(webhooks.every)
        return JSONResponse({"value": [_resource(each, environment) for each in found]})

    async def show(self, call: Call) -> Response:
        """GET: one."""
        environment = within_registry(call, self._environment(call.request))
        return JSONResponse(_resource(await self._known(call), environment))

    async def put(self, call: Call) -> Response:
        """PUT, PATCH: make one, or change what is said of it."""
        environment = within_registry(call, self._environment(call.request))
        said = objects_in(await read_object(call.request, self._body_bytes()), "properties")
        if call.request.method == "PATCH":
            before = await self._known(call)
        else:
            before = Webhook(_name_in(call), "", (), "", {}, enabled=True, created=time.time())
        wanted = _changed(before, said)
        known = await self._metadata.write(webhooks.put, wanted)
        return JSONResponse(_resource(wanted, environment), 200 if known else 201)

    async def remove(self, call: Call) -> Response:
        """DELETE: forget one."""
        within_registry(call, self._environment(call.request))
        gone = await self._metadata.write(webhooks.remove, call.names["name"])
        return Response(status_code=200 if gone else 204)

    async def ping(self, call: Call) -> Response:
        """POST: have it told nothing, at once."""
        within_registry(call, self._environment(call.request))
        from registry.notifications.post import connection_to, deliver  # noqa: PLC0415 - slow to import

        webhook, settings = await self._known(call), self._settings()
        sink = sink_of(webhook, local=settings.webhooks_local)
        payload = ping("acr", Origin((await self._metadata.read(identity)).id), time.time())
        with connection_to(sink) as connection:
            outcome = await deliver(connection, sink, payload)
        told = delivery_document(sink, payload, outcome)
        await self._metadata.write(webhooks.note_delivery, webhook.name, time.time(), told, settings.webhook_deliveries)
        return JSONResponse({"id": payload.id})

    async def list_events(self, call: Call) -> Response:
        """POST: its last deliveries, the newest first."""
        within_registry(call, self._environment(call.request))
        webhook = await self._known(call)
        return JSONResponse({"value": await self._metadata.read(webhooks.deliveries, webhook.name)})

    async def config(self, call: Call) -> Response:
        """POST: its address and header fields."""
        within_registry(call, self._environment(call.request))
        webhook = await self._known(call)
        return JSONResponse({"serviceUri": webhook.url, "customHeaders": dict(webhook.headers)}, headers=_PRIVATE)

    async def _known(self, call: Call) -> Webhook:
        found = await self._metadata.read(webhooks.find, call.names["name"])
        if found is None:
            raise ArmError(404, "ResourceNotFound", f"there is no webhook {call.names['name'][:64]!r}: make it first")
        return found


def _name_in(call: Call) -> str:
    name = call.names["name"]
    if not _NAME.fullmatch(name):
        raise ArmError(400, "InvalidResourceName", f"{name[:64]!r} is no name: needs 5 to 50 letters and digits")
    return name


def _changed(before: Webhook, said: dict[str, Any]) -> Webhook:
    """The webhook with what was said of it."""
    actions = list_in(said, "actions") or list(before.actions)
    if not actions or not set(map(str, actions)) <= _ACTIONS:
        raise ArmError(400, _INVALID, f"actions are {str(actions)[:64]}: needs some of {', '.join(sorted(_ACTIONS))}")
    headers = objects_in(said, "customHeaders") or dict(before.headers)
    if not all(isinstance(value, str) and value.isprintable() and value.isascii() for value in headers.values()):
        raise ArmError(400, _INVALID, "customHeaders hold something that is no text of one line")
    if unnamed := [name for name in headers if not _TOKEN.fullmatch(name)]:
        raise ArmError(400, _INVALID, f"customHeaders name {unnamed[0][:64]!r}: needs letters, digits and hyphens")
    url = text_in(said, "serviceUri", before.url)
    if not _is_address(url):
        raise ArmError(400, _INVALID, f"serviceUri is {url[:64]!r}: needs https://HOST/PATH or http://HOST/PATH")
    status = text_in(said, "status", "enabled" if before.enabled else "disabled").lower()
    if status not in {"enabled", "disabled"}:
        raise ArmError(400, _INVALID, f"status is {status[:32]!r}: needs enabled or disabled")
    return replace(
        before,
        url=url,
        actions=tuple(actions),
        scope=text_in(said, "scope", before.scope),
        headers=headers,
        enabled=status == "enabled",
    )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that are not closed, a port that is no number
        return False


def _resource(webhook: Webhook, environment: AzureEnvironment) -> dict[str, Any]:
    return {
        "id": f"{environment.registry_id}/webhooks/{webhook.name}",
        "name": webhook.name,
        "type": f"{REGISTRY_TYPE}/webhooks",
        "location": environment.settings.location,
        "tags": {},
        "properties": {
            "actions": list(webhook.actions),
            "scope": webhook.scope,
            "status": "enabled" if webhook.enabled else "disabled",
            "provisioningState": "Succeeded",
        },
    }
