"""`/v2/<name>/_oci/tag-history/<tag>`: what a tag pointed at, as a draft has it (distribution-spec, pull request 606).

The draft changes: its entries have been an array and are an index now, their annotations had other names. Both names
are given here. Other than in the draft, a tag that has never been there is 404: an empty page means that no entry fits.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.api.paging import asked_size, last_of, next_link
from registry.api.path_parameters import repository_of
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.content.tag_history import HistoryPage
from registry.metadata.tag_history import Entry, Span
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.errors import BadRequest, ManifestUnknown, TagInvalid
from registry.oci.names import Tag
from registry.oci.timestamp import exact_timestamp, seconds_of

_PREFIX = "org.opencontainers.distribution.tag"
_FILTERS = ("before", "since", "digest")
_LONGEST_ID = 18


async def page(services: Services, request: Request, principal: Principal) -> Response:
    """GET: an index of the manifests that the tag pointed at, the newest first, with a Link when there are more."""
    name, tag, size = repository_of(request), _tag_of(request), asked_size(request)
    history = await services.tag_history.page(principal, name, tag, _span(request), size)
    filters = {each: request.query_params[each] for each in _FILTERS if each in request.query_params}
    path = f"/v2/{name}/_oci/tag-history/{tag}"
    headers = {} if history.below is None else next_link(path, str(history.below), size, filters)
    return JSONResponse(_index(history), headers=headers, media_type=media_types.OCI_INDEX)


def _index(history: HistoryPage) -> dict[str, object]:
    entries = [_descriptor(entry) for entry in history.entries]
    return {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": entries}


def _descriptor(entry: Entry) -> dict[str, object]:
    what, time = "deleted" if entry.deleted else "created", exact_timestamp(entry.time)
    annotations = {f"{_PREFIX}.timestamp": time, f"{_PREFIX}.event": what, f"{_PREFIX}.{what}": time}
    return {
        "mediaType": entry.media_type,
        "size": entry.size,
        "digest": entry.digest,
        "annotations": annotations,
    }


def _tag_of(request: Request) -> Tag:
    """The tag that ends the path; what cannot be one has no history."""
    try:
        return Tag.parse(request.path_params["tag"])
    except TagInvalid as error:
        raise ManifestUnknown(f"no history: {error.message}", error.detail) from None


def _span(request: Request) -> Span:
    digest, last = request.query_params.get("digest"), last_of(request)
    if last and not (last.isascii() and last.isdecimal() and len(last) <= _LONGEST_ID):
        raise BadRequest(f"last is {last[:32]!r}: follow the Link as it was given")
    return Span(
        before=_time(request, "before"),
        since=_time(request, "since"),
        digest=None if digest is None else Digest.parse(digest),
        below=int(last) if last else None,
    )


def _time(request: Request, name: str) -> float | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        seconds, is_zoned = seconds_of(text.replace(" ", "+"))
    except ValueError:
        is_zoned = False
    if not is_zoned:
        raise BadRequest(f"{name} is {text[:40]!r}: needs a time of RFC 3339, as 2026-11-20T10:00:00Z")
    return seconds
