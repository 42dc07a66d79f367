"""Bodies of requests: JSON objects of known members."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from starlette.requests import Request

from registry.api.request_body import read_limited
from registry.config.administration import AdministrationSettings
from registry.content.parsing import Parsing
from registry.oci import strict_json
from registry.oci.errors import BadRequest
from registry.oci.media_types import without_parameters


class Body:
    """Reads bodies.

    Args:
        parsing: reads long ones beside the event loop.
        settings: returns the section `administration`.
    """

    def __init__(self, parsing: Parsing, settings: Callable[[], AdministrationSettings]) -> None:
        self._parsing = parsing
        self._settings = settings

    async def members(self, request: Request, known: Collection[str]) -> dict[str, Any]:
        """The members of the body; none for an empty one. A form of a page cannot have the type that is needed.

        Raises:
            ContentTooLarge: it is longer than `administration.request_bytes` (413).
            BadRequest: it is no `application/json`, no JSON object, or has a member that is not known.
        """
        raw = await read_limited(request, self._settings().request_bytes)
        media_type = without_parameters(request.headers.get("content-type", ""))
        if raw and media_type != "application/json":
            raise BadRequest(f"the body is {media_type[:64] or 'of no type'}: send Content-Type: application/json")
        return await self._parsing.read(len(raw), partial(_read, raw, known))


def _read(raw: bytes, known: Collection[str]) -> dict[str, Any]:
    try:
        document = strict_json.loads(raw or b"{}")
    except strict_json.JsonRefused as error:
        raise BadRequest(f"the body cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise BadRequest(f"the body is no JSON object: its members are {', '.join(known) or 'none'}")
    unknown = sorted(document.keys() - set(known))
    if unknown:
        raise BadRequest(f"{unknown[0][:64]!r} is not known here: members are {', '.join(known) or 'none'}")
    return document
