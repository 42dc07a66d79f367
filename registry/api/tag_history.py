"""`/v2/<name>/_oci/tag-history/<tag>`: what a tag pointed at, as a draft has it (distribution-spec, pull request 606).

The draft changes: its entries have been an array and are an index now, their annotations had other names. Both names
are given here. Other than in the draft, a tag that has never been there is 404: an empty page means that no entry fits.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.api.paging import asked_size, last_number_of, next_link
from registry.api.path_parameters import repository_of, tag_of
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.content.tag_history import HistoryPage
from registry.metadata.tag_history import Entry, Span
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.errors import BadRequest
from registry.oci.timestamp import exact_timestamp, zoned_seconds_of

_PREFIX = "org.opencontainers.distribution.tag"
_FILTERS = ("before", "since", "digest")


async def page(services: Services, request: Request, principal: Principal) -> Response:
    """GET: an index of the manifests that the tag pointed at, the newest first, with a Link when there are more."""
    name, tag, size = repository_of(request), tag_of(request, "tag"), asked_size(request)
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


def _span(request: Request) -> Span:
    digest = request.query_params.get("digest")
    return Span(
        before=_time(request, "before"),
        since=_time(request, "since"),
        digest=None if digest is None else Digest.parse(digest),
        below=last_number_of(request),
    )


def _time(request: Request, name: str) -> float | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return zoned_seconds_of(text.replace(" ", "+"))
    except ValueError:
        raise BadRequest(f"{name} is {text[:40]!r}: needs a time of RFC 3339, as 2026-11-20T10:00:00Z") from None
