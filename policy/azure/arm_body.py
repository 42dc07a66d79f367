"""Bodies of management requests: JSON objects within a bound, and the members that a handler needs."""

from collections.abc import Mapping
from typing import Any, TypeVar

from starlette.requests import Request

from policy.azure.arm_errors import ArmError
from registry.api.request_body import read_limited
from registry.oci.kinds import kind_of
from registry.oci.strict_json import JsonRefused, loads

T = TypeVar("T")
_INVALID = "InvalidRequestContent"
_KINDS = {"dict": "an object", "str": "a text", "list": "a list", "bool": "true or false"}


async def read_object(request: Request, maximum: int) -> dict[str, Any]:
    """The body; an empty one is an empty object.

    Raises:
        ArmError: it is not a JSON object.
        ContentTooLarge: it is larger than `maximum` bytes.
    """
    raw = await read_limited(request, maximum)
    if not raw.strip():
        return {}
    try:
        document = loads(raw)
    except JsonRefused as error:
        raise ArmError(400, _INVALID, f"the body cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise ArmError(400, _INVALID, f"the body is {kind_of(document)}: needs a JSON object")
    return document


def objects_in(document: Mapping[str, Any], member: str) -> dict[str, Any]:
    """An object under this name; an empty one when it is absent or null."""
    return _typed(document, member, dict, {})


def text_in(document: Mapping[str, Any], member: str, default: str = "") -> str:
    """A text under this name."""
    return _typed(document, member, str, default)


def list_in(document: Mapping[str, Any], member: str) -> list[Any]:
    """A list under this name."""
    return _typed(document, member, list, [])


def flag_in(document: Mapping[str, Any], member: str, *, default: bool) -> bool:
    """A truth value under this name."""
    return _typed(document, member, bool, default)


def number_in(document: Mapping[str, Any], member: str) -> int:
    """A number that is not negative under this name; 0 when it is absent or null.

    Raises:
        ArmError: it is something else.
    """
    found = document.get(member)
    if found is None:
        return 0
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < 1 << 53:
        raise ArmError(400, _INVALID, f"{member} is {str(found)[:32]!r}: needs a whole number that is not negative")
    return found


def needed_text(document: Mapping[str, Any], member: str) -> str:
    """A text that must be there.

    Raises:
        ArmError: it is not, or is something else.
    """
    text = text_in(document, member)
    if not text:
        raise ArmError(400, _INVALID, f"the body has no {member}: send one")
    return text


def _typed(document: Mapping[str, Any], member: str, kind: type[T], default: T) -> T:
    found = document.get(member)
    if found is None:
        return default
    if not isinstance(found, kind):
        wanted = _KINDS[kind.__name__]
        raise ArmError(400, _INVALID, f"{member} is {kind_of(found)}: needs {wanted}")
    return found
