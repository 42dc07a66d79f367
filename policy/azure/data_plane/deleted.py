"""`/acr/v1/_deleted/`: what was deleted and can be brought back."""

import re
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.azure.data_plane import paging
from policy.azure.data_plane.changes import restoration_of
from policy.azure.data_plane.documents import deleted_manifest_document, deleted_tag_document, envelope
from policy.azure.data_plane.handler import Handlers
from registry.api.paging import last_of
from registry.api.path_parameters import repository_of
from registry.api.services import Services
from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.oci.digest import Digest
from registry.oci.errors import BadRequest

_NUMBER = re.compile(r"[0-9]{0,18}")


class DeletedHandlers(Handlers):
    """Lists what is in the trash, and restores manifests and tags."""

    async def repositories(self, services: Services, request: Request, principal: Principal) -> Response:
        """GET: the repositories of which something can be brought back."""
        size = paging.size_of(services, request)
        found = await services.deleted.repositories(partial(principal.may, Action.DELETED_READ), size, last_of(request))
        headers = paging.link(request, "/acr/v1/_deleted/_catalog", size, found.items[-1]) if found.more else {}
        return JSONResponse({"repositories": list(found.items)}, headers=headers)

    async def manifests(self, services: Services, request: Request, _principal: Principal) -> Response:
        """GET: the deleted manifests of a repository, by digest."""
        name, size = repository_of(request), paging.size_of(services, request)
        found = await services.deleted.manifests(name, size, last_of(request))
        path = f"/acr/v1/_deleted/{name}/_manifests"
        headers = paging.link(request, path, size, found.items[-1].digest) if found.more else {}
        told = [deleted_manifest_document(each) for each in found.items]
        return JSONResponse(envelope(self.login_server(services, request), name, manifests=told), headers=headers)

    async def tags(self, services: Services, request: Request, _principal: Principal) -> Response:
        """GET: the deleted tags of a repository, the first deleted first: `az` takes the last one of a name."""
        name, size, last = repository_of(request), paging.size_of(services, request), last_of(request)
        if not _NUMBER.fullmatch(last):
            raise BadRequest(f"last is {last[:32]!r}: follow the link as it was given")
        found = await services.deleted.tags(name, size, int(last or 0))
        path = f"/acr/v1/_deleted/{name}/_tags"
        headers = paging.link(request, path, size, str(found.items[-1][0])) if found.more else {}
        told = [deleted_tag_document(each) for _, each in found.items]
        return JSONResponse(envelope(self.login_server(services, request), name, tags=told), headers=headers)

    async def restore(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: a manifest comes back, and the tag that the body names points at it; then as one shows its digest."""
        name, digest = repository_of(request), Digest.parse(request.path_params["digest"])
        tag = await restoration_of(request, self.parsing, self.settings().attributes_bytes)
        force = request.query_params.get("force", "").lower() == "true"
        await services.deleted.restore(principal, name, digest, tag, force=force)
        told = {"digest": digest, "tags": [tag] if tag else []}
        return JSONResponse(envelope(self.login_server(services, request), name, manifest=told))
