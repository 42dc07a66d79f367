"""`/v2/<name>/referrers/<digest>` (end-12)."""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from registry.api.paging import asked_size, last_of, next_link
from registry.api.path_parameters import digest_of, repository_of
from registry.api.responses import WholeResponse
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.oci import media_types


async def page(services: Services, request: Request, principal: Principal) -> Response:
    """GET: an index of the manifests whose subject is the digest; empty, never 404, when there are none."""
    name, subject, kind = repository_of(request), digest_of(request), _artifact_type(request)
    size = asked_size(request)
    listing = await services.referrers.page(principal, name, subject, kind, size, last_of(request))
    headers = {"OCI-Filters-Applied": "artifactType"} if kind else {}
    if size != 0 and listing.more:
        filters = {"artifactType": kind} if kind else {}
        headers |= next_link(f"/v2/{name}/referrers/{subject}", listing.last, size, filters)
    return WholeResponse(_index(listing.entries), headers=headers, media_type=media_types.OCI_INDEX)


def _index(entries: Iterable[str]) -> bytes:
    head = f'"schemaVersion": 2, "mediaType": "{media_types.OCI_INDEX}"'
    return f'{{{head}, "manifests": [{", ".join(entries)}]}}'.encode("ascii")


def _artifact_type(request: Request) -> str:
    # A media type holds no space; one that arrives is a `+` that a client did not encode.
    return request.query_params.get("artifactType", "").replace(" ", "+")
