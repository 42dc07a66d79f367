"""Reading a request's body up to a limit, however it is framed."""

from starlette.requests import Request

from registry.api.ranges import content_length_of
from registry.oci.errors import ContentTooLarge, SizeInvalid


async def read_limited(request: Request, maximum: int) -> bytes:
    """The whole body.

    Raises:
        ContentTooLarge: more than `maximum` bytes are declared or arrive (413).
        SizeInvalid: fewer bytes arrive than were declared.
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
