"""An error takes the place of the answer as long as no answer has begun."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message

from registry.api.errors import respond
from registry.oci.errors import Denied
from registry.telemetry.request_record import RequestRecord, remember

Endpoint = Callable[[Request], Awaitable[Response]]


def failing(error: Exception) -> Endpoint:
    """An endpoint that only raises."""

    async def endpoint(_request: Request) -> Response:
        raise error

    return endpoint


def sent(endpoint: Endpoint, status: int = 0) -> list[Message]:
    """What leaves when the endpoint serves a request whose answer has begun with this status, if any."""
    request_record = RequestRecord("id", "192.0.2.1", "GET", "/", status=status)
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    remember(request.scope, request_record)
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    asyncio.run(respond(endpoint, request, send))
    return messages


def test_an_error_is_rendered() -> None:
    """With the status and code of its class."""
    head, body = sent(failing(Denied("no")))
    assert (head["status"], json.loads(body["body"])["errors"][0]["code"]) == (403, "DENIED")


def test_a_fault_is_rendered_and_raised() -> None:
    """The caller gets a 500, the edge gets what to log."""
    with pytest.raises(RuntimeError, match="a fault"):
        sent(failing(RuntimeError("a fault")))


def test_nobody_is_told_of_their_own_leaving() -> None:
    """There is no answer to a client that is gone."""
    assert sent(failing(ClientDisconnect())) == []


def test_an_error_behind_the_head_is_left_to_the_server() -> None:
    """A second head would be read as part of the body."""
    with pytest.raises(Denied):
        sent(failing(Denied("too late")), status=200)
