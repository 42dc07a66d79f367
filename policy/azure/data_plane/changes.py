"""What a PATCH of attributes asks for: `{"deleteEnabled": false, …}`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request

from policy.azure.data_plane.documents import ENABLED
from registry.api.request_body import read_limited
from registry.content.parsing import Parsing
from registry.oci import strict_json
from registry.oci.errors import BadRequest
from registry.oci.names import Tag

STATE, DETAILS = "quarantineState", "quarantineDetails"
OF_MANIFESTS = (*ENABLED, STATE, DETAILS)
"""What can be changed of manifests."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of attributes.

    Attributes:
        locks: by field of `registry.metadata.locks.Locks`, whether it is to be locked against that.
        state: the quarantine state that is asked for, or empty.
        details: what is said of it, or empty.
    """

    locks: Mapping[str, bool]
    state: str = ""
    details: str = ""


async def change_of(request: Request, parsing: Parsing, maximum: int, known: Sequence[str] = tuple(ENABLED)) -> Change:
    """Read the body, of at most so many bytes.

    Raises:
        ContentTooLarge: it is larger (413).
        BadRequest: it is no JSON object of members that are known.
    """
    raw = await read_limited(request, maximum)
    return await parsing.read(len(raw), partial(_read, raw, known))


def _read(raw: bytes, known: Sequence[str]) -> Change:
    document = _object(raw)
    given = {name: value for name, value in document.items() if value is not None}
    unknown = sorted(given.keys() - set(known))
    if unknown:
        raise BadRequest(f"{unknown[0][:64]!r} cannot be changed: known are {', '.join(known)}")
    locks = {field: not _typed(given, word, bool) for word, field in ENABLED.items() if word in given}
    return Change(locks, _typed(given, STATE, str), _typed(given, DETAILS, str))


def _object(raw: bytes) -> dict[str, Any]:
    try:
        document = strict_json.loads(raw)
    except strict_json.JsonRefused as error:
        raise BadRequest(f"the body cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise BadRequest("the body is no JSON object: send the members that are to change")
    return document


def _typed(given: Mapping[str, Any], name: str, kind: type) -> Any:
    value = given.get(name, kind())
    if not isinstance(value, kind):
        raise BadRequest(f"{name} is {str(value)[:32]!r}: needs {'true or false' if kind is bool else 'a text'}")
    return value


async def restoration_of(request: Request, parsing: Parsing, maximum: int) -> Tag | None:
    """The tag that is to be restored with a manifest: `{"tag": "v1"}`; `None` when the body names none.

    Raises:
        ContentTooLarge: the body is larger than `maximum` bytes (413).
        BadRequest: it is no JSON object.
        TagInvalid: it names what cannot be a tag.
    """
    raw = await read_limited(request, maximum)
    document = await parsing.read(len(raw), partial(_object, raw or b"{}"))
    text = _typed({name: value for name, value in document.items() if value is not None}, "tag", str)
    return Tag.parse(text) if text else None
