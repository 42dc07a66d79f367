"""`/v2/<name>/manifests/<reference>` (end-3, end-7, end-9)."""

from starlette.requests import Request
from starlette.responses import Response

from registry.api.path_parameters import read_reference_of, reference_of, repository_of
from registry.api.request_body import read_limited
from registry.api.responses import WholeResponse, add_warnings, digest_headers, is_known
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.oci.digest import Digest
from registry.oci.errors import BadRequest, UriTooLong
from registry.oci.names import Reference, Tag
from registry.telemetry.request_record import request_record_of


async def pull(services: Services, request: Request, principal: Principal) -> Response:
    """GET and HEAD: the bytes as they were pushed, or 304 when If-None-Match matches."""
    _note_purpose(request)
    reference, settings = read_reference_of(request), services.stores.settings.current
    manifest = await services.manifests.pull(principal, repository_of(request), reference)
    fresh = settings.storage.cache_seconds if isinstance(reference, Digest) else None
    headers = digest_headers(manifest.digest, fresh)
    if is_known(request, manifest.digest):
        return Response(status_code=304, headers=headers)
    response = WholeResponse(manifest.raw, headers=headers, media_type=manifest.media_type)
    add_warnings(response, manifest.warnings, settings.limits.warning_bytes)
    return response


async def push(services: Services, request: Request, principal: Principal) -> Response:
    """PUT: 201; stores the bytes unchanged."""
    name, reference, limits = repository_of(request), reference_of(request), services.stores.settings.current.limits
    tags = _tags_of(request, reference, limits.tags_per_push)
    raw = await read_limited(request, limits.manifest_bytes)
    content_type = request.headers.get("content-type", "")
    pushed = await services.manifests.push(principal, name, reference, raw, content_type, tags)
    headers = {
        "Location": f"/v2/{name}/manifests/{pushed.digest}",
        "Docker-Content-Digest": pushed.digest,
        **({"OCI-Subject": pushed.subject} if pushed.subject else {}),
        **({"OCI-Tag": ", ".join(tags)} if tags else {}),
    }
    response = Response(status_code=201, headers={**headers, "Content-Length": "0"})
    add_warnings(response, pushed.warnings, limits.warning_bytes)
    return response


async def delete(services: Services, request: Request, principal: Principal) -> Response:
    """DELETE: 202; a tag alone, or a manifest with all its tags."""
    await services.manifests.delete(repository_of(request), reference_of(request), principal)
    return Response(status_code=202, headers={"Content-Length": "0"})


def _note_purpose(request: Request) -> None:
    """Whoever copies or verifies says so: that is no use of an image."""
    record = request_record_of(request.scope)
    if record is not None and "basegate-purpose" in request.headers:
        record.uncounted = True


def _tags_of(request: Request, reference: Reference, maximum: int) -> tuple[Tag, ...]:
    if not request.scope["query_string"]:
        return ()
    texts = request.query_params.getlist("tag")
    if len(texts) > maximum:
        raise UriTooLong(f"{len(texts)} tags in one push: at most {maximum} are accepted, push the rest again")
    if texts and isinstance(reference, Tag):
        raise BadRequest("?tag= goes with a push by digest: push to /manifests/<digest>?tag=…")
    return tuple(dict.fromkeys(Tag.parse(text) for text in texts))
