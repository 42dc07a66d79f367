"""`/v2/<name>/blobs/uploads/` (end-4, end-5, end-6, end-11, end-13, end-14): pushing blobs."""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import Response

from registry.api.path_parameters import repository_of, source_of
from registry.api.ranges import chunk_of
from registry.api.request_body import UploadBody
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.content.uploads import UploadSession
from registry.oci.digest import Digest
from registry.oci.errors import BlobUploadUnknown, DigestInvalid, RangeNotSatisfiable
from registry.oci.names import RepositoryName


async def start(services: Services, request: Request, principal: Principal) -> Response:
    """POST: mounts a blob (201), takes one whole (201), or opens a session (202)."""
    name, query = repository_of(request), request.query_params
    if "mount" in query and await _mounted(services, request, principal, digest := Digest.parse(query["mount"])):
        return _created(name, digest)
    if "digest" in query and "mount" not in query:
        return await _push_whole(services, request, principal, Digest.parse(query["digest"]))
    session = await services.uploads.start(name, principal, query.get("digest-algorithm") or "sha256")
    minimum = services.stores.settings.current.uploads.chunk_minimum_bytes
    return _accepted(session, 202, {"OCI-Chunk-Min-Length": str(minimum)} if minimum else {})


async def append(services: Services, request: Request, principal: Principal) -> Response:
    """PATCH: the next chunk, or a whole stream without Content-Range: 202 with the new Range."""
    session = await _session(services, request, principal)
    chunk = chunk_of(request)
    with _saying_where(session):
        await services.uploads.append(session, UploadBody(request), chunk.start, chunk.length)
    return _accepted(session, 202)


async def finish(services: Services, request: Request, principal: Principal) -> Response:
    """PUT: 201; the last bytes, if any, and the digest of the blob."""
    session = await services.uploads.find(repository_of(request), request.path_params["upload"], principal.id)
    if session is None:
        return await _finished_again(services, request)
    chunk, digest = chunk_of(request), _final_digest(request)
    with _saying_where(session):
        blob = await services.uploads.finish(session, digest, UploadBody(request), chunk.start, chunk.length)
    return _created(session.repository, blob.digest)


async def status(services: Services, request: Request, principal: Principal) -> Response:
    """GET: 204 with the upload's Range."""
    return _accepted(await _session(services, request, principal), 204)


async def cancel(services: Services, request: Request, principal: Principal) -> Response:
    """DELETE: 204; ends the session."""
    await services.uploads.cancel(await _session(services, request, principal))
    return Response(status_code=204)


async def _session(services: Services, request: Request, principal: Principal) -> UploadSession:
    return await services.uploads.session(repository_of(request), request.path_params["upload"], principal.id)


async def _finished_again(services: Services, request: Request) -> Response:
    """The 201 again, for a client that missed the response to its last PUT."""
    name, digest, upload = repository_of(request), _final_digest(request), request.path_params["upload"]
    blob = await services.uploads.finish_again(name, upload, digest, UploadBody(request))
    if blob is None:
        raise BlobUploadUnknown
    return _created(name, blob.digest)


def _final_digest(request: Request) -> Digest:
    text = request.query_params.get("digest")
    if text is None:
        raise DigestInvalid("an upload is finished with ?digest=<digest of all bytes>: it is missing")
    return Digest.parse(text)


async def _mounted(services: Services, request: Request, principal: Principal, digest: Digest) -> bool:
    readable = services.access.readable(request, principal)
    return await services.blobs.mount(principal, repository_of(request), digest, source_of(request), readable)


async def _push_whole(services: Services, request: Request, principal: Principal, digest: Digest) -> Response:
    chunk = chunk_of(request)
    name = repository_of(request)
    blob = await services.uploads.take_whole(name, principal, digest, UploadBody(request), chunk.start, chunk.length)
    return _created(name, blob.digest)


def _created(name: RepositoryName, digest: Digest) -> Response:
    headers = {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest, "Content-Length": "0"}
    return Response(status_code=201, headers=headers)


def _accepted(session: UploadSession, status_code: int, headers: dict[str, str] | None = None) -> Response:
    length = {} if status_code == 204 else {"Content-Length": "0"}
    return Response(status_code=status_code, headers={**_where(session), **length, **(headers or {})})


def _where(session: UploadSession) -> dict[str, str]:
    # Docker's client reads `0--1` of an empty upload as garbage: an empty one says 0-0, as distribution does.
    return {
        "Location": f"/v2/{session.repository}/blobs/uploads/{session.id}",
        "Range": f"0-{max(session.resumes_at - 1, 0)}",
        "Docker-Upload-UUID": session.id,
    }


@contextmanager
def _saying_where(session: UploadSession) -> Iterator[None]:
    """Give a 416 the upload's Range, so that the client can resume."""
    try:
        yield
    except RangeNotSatisfiable as error:
        error.headers.update(_where(session))
        raise
