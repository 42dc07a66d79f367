"""`…/_tags/TAG/_history` and `_rollback`: the past of a tag over HTTP, without what the gate withholds."""

import asyncio
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.administration.body import Body
from registry.administration.tag_past import history_document, past_document, rolled_back, target_of
from registry.api.paging import asked_size, last_number_of
from registry.api.path_parameters import repository_of, tag_of
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.content import tag_history as service
from registry.content.immutability import immutable_in
from registry.content.manifests import content_of
from registry.gate import Push
from registry.metadata import manifests
from registry.metadata.tag_history import Span
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest
from registry.oci.errors import BadRequest, Denied, ManifestUnknown
from registry.oci.manifest import parse_manifest
from registry.oci.names import RepositoryName, Tag
from registry.oci.timestamp import zoned_seconds_of
from registry.telemetry.request_record import note_decision


async def show_history(services: Services, request: Request, principal: Principal) -> Response:
    """GET: what a tag pointed at, the newest first; with `?at=TIME`, what it pointed at then."""
    name, tag = repository_of(request), tag_of(request)
    asked = request.query_params.get("at")
    if asked:
        return await _past(services, principal, request, _moment(asked))
    span = Span(below=last_number_of(request))
    return JSONResponse(
        history_document(await services.tag_history.page(principal, name, tag, span, asked_size(request)))
    )


class Rollback:
    """Points tags at what they pointed at before.

    Args:
        body: reads requests.
    """

    def __init__(self, body: Body) -> None:
        self._body = body

    async def __call__(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST `{"to": DIGEST}`, `{"at": TIME}`, or `{}` for what was there before the present manifest."""
        name, tag = repository_of(request), tag_of(request)
        given = await self._body.members(request, ("to", "at"))
        if len(given) > 1 or not all(isinstance(value, str) for value in given.values()):
            raise BadRequest("the body needs to, a digest, or at, a time, or nothing: one of them says where to")
        target = Digest.parse(given["to"]) if "to" in given else None
        at = _moment(given["at"]) if "at" in given else None
        target = await services.stores.metadata.read(target_of, name, tag, target, at)
        done = await roll_tag_back(services, principal, name, tag, target)
        note_decision(request, f"rollback to {done['digest']}")
        return JSONResponse(done)


async def roll_tag_back(
    services: Services, principal: Principal, name: RepositoryName, tag: Tag, target: Digest
) -> dict[str, Any]:
    """Point a tag at what it pointed at before, if the gate would let that be pushed: as `tag_past.rolled_back`.

    Raises:
        Denied: it would not.
        ManifestUnknown: the manifest is not there any more, or the tag never pointed at it.
    """
    await _require_pushable(services, principal, name, tag, target)
    context = ChangeContext(name, principal.id, time.time(), cause="rollback")
    frozen = immutable_in(services.stores.settings.current, name)(tag)
    return await services.stores.metadata.write(rolled_back, context, tag, target, None, frozen=frozen)


async def _require_pushable(
    services: Services, principal: Principal, name: RepositoryName, tag: Tag, digest: Digest
) -> None:
    """Check that the gate would let the manifest be pushed under the tag; one that is not here is left to the change.

    Raises:
        Denied: it would not.
        ManifestUnknown: its bytes are lost.
    """
    storage, metadata = services.stores.storage, services.stores.metadata
    row = await metadata.read(manifests.find, name, digest)
    if row is None:
        return
    raw = await content_of(storage, metadata, name, row)
    if raw is None:
        raise ManifestUnknown(f"the bytes of manifest {digest} are damaged or lost: push it again", {"digest": digest})
    manifest = await asyncio.to_thread(parse_manifest, raw, row.media_type)
    decision = await services.gate.before_push(Push(name, digest, manifest, raw, (tag,), principal))
    if not decision.allowed:
        raise Denied(decision.message, decision.detail)


async def _past(services: Services, principal: Principal, request: Request, at: float) -> Response:
    name, tag = repository_of(request), tag_of(request)
    digest = await services.stores.metadata.read_apart(service.target_at, name, tag, at)
    if digest in await services.gate.withheld_now(principal, name, {digest}):
        raise ManifestUnknown(f"{name}:{tag} pointed at something that {principal.name} may not pull")
    return JSONResponse(past_document(name, tag, digest, at))


def _moment(text: str) -> float:
    try:
        return zoned_seconds_of(text)
    except ValueError:
        raise BadRequest(f"{text[:64]!r} is no time with a zone: write 2026-11-20T10:00Z") from None
