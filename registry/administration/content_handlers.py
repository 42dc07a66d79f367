"""`/admin/v1/repositories`: repositories, tags and manifests, for whoever may read or change their metadata."""

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.administration.body import Body
from registry.administration.content import PAGE, gone_document, manifests_document, names_document, tags_document
from registry.administration.documents import repository_document, tag_document, whole_manifest_document
from registry.api.paging import last_of
from registry.api.path_parameters import read_reference_of, repository_of, tag_of
from registry.api.services import Services
from registry.auth.actions import SCANNERS, Action
from registry.auth.principals import Principal
from registry.content.attributes import LOCKED, UNLOCKED
from registry.metadata import listings, locks
from registry.metadata.listings import ManifestCard
from registry.oci.errors import BadRequest, Denied, Locked
from registry.oci.names import Tag
from registry.telemetry.request_record import note_decision


async def list_repositories(services: Services, request: Request, principal: Principal) -> Response:
    """GET: a page of the names that the caller may see."""
    visible = partial(services.access.permits, request, principal, Action.METADATA_READ)
    page = await services.catalog.page(visible, PAGE, last_of(request), principal.patterns)
    document = names_document(list(page.items), PAGE)
    return JSONResponse(document | ({"next": page.items[-1]} if page.more else {}))


async def show_repository(services: Services, request: Request, _principal: Principal) -> Response:
    """GET: a repository in numbers."""
    card = await services.stores.metadata.read_apart(listings.repository, repository_of(request))
    return JSONResponse(repository_document(card))


async def delete_repository(services: Services, request: Request, principal: Principal) -> Response:
    """DELETE: it goes with everything in it."""
    name = repository_of(request)
    gone = await services.manifests.delete_all(principal, name)
    return JSONResponse({"repository": name, "tags": len(gone.tags), "manifests": len(gone.manifests)})


async def list_tags(services: Services, request: Request, principal: Principal) -> Response:
    """GET: a page of tags; those that are locked against lists are for owners."""
    name, after, hidden = repository_of(request), last_of(request), principal.owns_registry
    cards = await services.stores.metadata.read_apart(listings.tags_of, name, after, PAGE + 1, hidden=hidden)
    return JSONResponse(tags_document(cards))


async def show_tag(services: Services, request: Request, _principal: Principal) -> Response:
    """GET: one tag."""
    card = await services.stores.metadata.read(listings.tag, repository_of(request), tag_of(request))
    return JSONResponse(tag_document(card))


async def delete_tag(services: Services, request: Request, principal: Principal) -> Response:
    """DELETE: the tag alone, its manifest stays."""
    name, tag = repository_of(request), tag_of(request)
    card = await services.stores.metadata.read(listings.tag, name, tag)
    await services.manifests.delete(name, tag, principal)
    return JSONResponse({"tag": tag, "digest": card.digest})


async def list_manifests(services: Services, request: Request, principal: Principal) -> Response:
    """GET: a page of manifests, without what they consist of; those locked against lists are for owners."""
    name, after, hidden = repository_of(request), last_of(request), principal.owns_registry
    cards = await services.stores.metadata.read_apart(listings.manifests_of, name, after, PAGE + 1, hidden=hidden)
    return JSONResponse(manifests_document(cards))


async def show_manifest(services: Services, request: Request, principal: Principal) -> Response:
    """GET: one manifest; what it consists of is for those who may pull it, names of people for owners."""
    card = await _manifest(services, request, hidden=principal.owns_registry)
    withheld = await _withheld(services, request, principal, card)
    return JSONResponse(whole_manifest_document(card, withheld, names=principal.owns_registry))


async def delete_manifest(services: Services, request: Request, principal: Principal) -> Response:
    """DELETE: the manifest with all its tags."""
    card = await _manifest(services, request)
    await services.manifests.delete(repository_of(request), card.digest, principal)
    return JSONResponse(gone_document(card))


class TagLocks:
    """Locks tags and unlocks them.

    Args:
        body: reads requests.
    """

    def __init__(self, body: Body) -> None:
        self._body = body

    async def __call__(self, services: Services, request: Request, principal: Principal) -> Response:
        """PATCH `{"locked": true}`: the tag neither moves nor goes until it is unlocked."""
        name, tag = repository_of(request), tag_of(request)
        if principal.role in SCANNERS:
            raise Denied(f"principal {principal.name} may not lock in {name}: it changes quarantine states only")
        locked = (await self._body.members(request, ("locked",))).get("locked")
        if not isinstance(locked, bool):
            raise BadRequest('the body says nothing of the lock: send {"locked": true} or {"locked": false}')
        note_decision(request, "lock" if locked else "unlock")
        await services.attributes.lock(principal, name, tag, LOCKED if locked else UNLOCKED)
        return JSONResponse(tag_document(await services.stores.metadata.read(listings.tag, name, tag)))


async def _manifest(services: Services, request: Request, *, hidden: bool = True) -> ManifestCard:
    name, reference = repository_of(request), read_reference_of(request)
    return await services.stores.metadata.read(listings.manifest, name, reference, hidden=hidden)


async def _withheld(services: Services, request: Request, principal: Principal, card: ManifestCard) -> str:
    """Why the caller does not learn what a manifest consists of; "" when nothing is withheld."""
    name, reference = repository_of(request), read_reference_of(request)
    if not services.access.permits(request, principal, Action.PULL, name):
        return f"{principal.name} may not pull from {name}"
    tag = reference if isinstance(reference, Tag) else None
    if not principal.owns_registry:
        try:
            await services.stores.metadata.read(locks.require_readable, name, card.digest, tag or "")
        except Locked as locked:
            return locked.message
    decision = await services.gate.before_manifest_pull(principal, name, card.digest, tag)
    return "" if decision.allowed else decision.message
