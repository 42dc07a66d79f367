"""Reads a request's body up to a limit."""

from collections.abc import AsyncIterator, Callable

from starlette.requests import ClientDisconnect, Request

from registry.api.ranges import content_length_of
from registry.oci.errors import ContentTooLarge, SizeInvalid
from registry.telemetry.request_record import request_record_of


class UploadBody:
    """The body of an upload: an iterator of its pieces, or written by the server itself where it can."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._pieces = request.stream()
        extensions = request.scope.get("extensions", {})
        self._receive_into = extensions.get("basegate.receive-into")
        self._waited_for = extensions.get("basegate.waited-for", _nothing)
        self._interrupt = extensions.get("basegate.interrupt", _ignored)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Itself."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece."""
        return await anext(self._pieces)

    @property
    def direct(self) -> bool:
        """Whether the server writes it."""
        return self._receive_into is not None

    def waited_for(self) -> int | None:
        """Bytes received so far, while waiting for the client; else `None`."""
        came: int | None = self._waited_for()
        return came

    def interrupt(self, why: str) -> None:
        """End the request: the reader sees a disconnect, and the client gets the reason."""
        self._interrupt(why)

    async def pour(self, write: Callable[[memoryview], None]) -> None:
        """Have the server write it.

        Raises:
            ClientDisconnect: the client left; the bytes received before are written.
        """
        if self._receive_into is None:
            raise RuntimeError("This body cannot be moved by the server; iterate over it.")
        try:
            moved = await self._receive_into(write)
        except ConnectionResetError:
            raise ClientDisconnect from None
        request_record = request_record_of(self._request.scope)
        if request_record is not None:
            request_record.received += moved
        async for _ in self._pieces:  # nothing is left, but every wrapper must see the end
            pass


def _nothing() -> None:
    return None


def _ignored(_why: str) -> None:
    return None


async def read_limited(request: Request, maximum: int) -> bytes:
    """The whole body.

    Raises:
        ContentTooLarge: more than `maximum` bytes are declared or received (413).
        SizeInvalid: fewer bytes are received than declared.
    """
    declared = content_length_of(request)
    if declared is not None and declared > maximum:
        raise _too_large(maximum)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > maximum:
            raise _too_large(maximum)
    if declared is not None and len(body) != declared:
        raise SizeInvalid(f"{declared} bytes were declared, {len(body)} arrived")
    return bytes(body)


def _too_large(maximum: int) -> ContentTooLarge:
    return ContentTooLarge(f"the body is larger than the {maximum} bytes this registry accepts", {"maximum": maximum})
