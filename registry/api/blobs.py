"""`/v2/<name>/blobs/<digest>` (end-2, end-10)."""

from starlette.requests import Request
from starlette.responses import Response

from registry.api.parts import PartsResponse
from registry.api.path_parameters import digest_of, repository_of
from registry.api.responses import BlobResponse, digest_headers, is_known, windows_of
from registry.api.services import Services
from registry.auth.principals import Principal


async def pull(services: Services, request: Request, principal: Principal) -> Response:
    """GET and HEAD: 200; 206 for parts, 304 when If-None-Match matches, 416 when no part lies in the blob.

    307 to a signed URL of the store for a GET of a large blob, where the settings say so.
    """
    find = services.blobs.head if request.method == "HEAD" else services.blobs.pull
    blob = await find(principal, repository_of(request), digest_of(request))
    headers = digest_headers(blob.digest, services.stores.settings.current.storage.cache_seconds)
    if is_known(request, blob.digest):
        return Response(status_code=304, headers=headers)
    link = await services.blobs.link(blob) if request.method == "GET" else None
    if link is not None:
        return Response(status_code=307, headers={**headers, "Cache-Control": "no-store", "Location": link})
    windows = windows_of(request, blob, services.stores.settings.current.limits.ranges)
    if len(windows) > 1:
        return PartsResponse(blob, services.blobs.read, windows, headers)
    return BlobResponse(blob, services.blobs.read, next(iter(windows), None), headers)


async def delete(services: Services, request: Request, principal: Principal) -> Response:
    """DELETE: 202; unlinks the blob from the repository."""
    await services.blobs.delete(repository_of(request), digest_of(request), principal)
    return Response(status_code=202, headers={"Content-Length": "0"})
