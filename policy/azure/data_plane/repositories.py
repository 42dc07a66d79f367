"""`/acr/v1/_catalog` and `/acr/v1/{name}`: the repositories."""

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.azure.data_plane import paging
from policy.azure.data_plane.changes import change_of
from policy.azure.data_plane.documents import deletion_document, repository_document
from policy.azure.data_plane.handler import Handlers
from registry.api.errors import invalid_name_of
from registry.api.path_parameters import repository_of
from registry.api.services import Services
from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.oci.errors import MethodNotAllowed


class RepositoryHandlers(Handlers):
    """Lists, shows, locks and removes repositories."""

    async def catalog(self, services: Services, request: Request, principal: Principal) -> Response:
        """GET: the names of those that the caller may pull from, in ASCII order."""
        size = paging.size_of(services, request)
        visible = partial(principal.may, Action.PULL)
        found = await services.catalog.page(visible, size, request.query_params.get("last", ""), principal.patterns)
        headers = paging.link(request, "/acr/v1/_catalog", size, found.items[-1]) if found.more else {}
        return JSONResponse({"repositories": list(found.items)}, headers=headers)

    async def show(self, services: Services, request: Request, _principal: Principal) -> Response:
        """GET: its attributes."""
        told = await services.attributes.of_repository(repository_of(request))
        return JSONResponse(repository_document(self.login_server(services, request), told))

    async def change(self, services: Services, request: Request, principal: Principal) -> Response:
        """PATCH: its locks; answers as GET does."""
        change = await change_of(request, self.parsing, self.settings().attributes_bytes)
        self.require_locker(principal, repository_of(request), change)
        self.note(request, change)
        await services.attributes.lock(principal, repository_of(request), None, change.locks)
        return await self.show(services, request, principal)

    async def remove(self, services: Services, request: Request, principal: Principal) -> Response:
        """DELETE: it goes with all that is in it: 202 with what that was."""
        removed = await services.manifests.delete_all(principal, repository_of(request))
        return JSONResponse(deletion_document(removed.manifests, removed.tags), 202)


async def absent(_services: Services, request: Request, _principal: Principal) -> Response:
    """Every other path below /acr: 405 for who has signed in, or 400 where only the name of a repository is wrong.

    Microsoft's SDK would take a 404 for "deleted".
    """
    invalid = invalid_name_of(request.scope)
    if invalid:
        raise invalid
    message = f"{request.method} is not offered here: below /acr/v1 there are repositories, _tags and _manifests"
    raise MethodNotAllowed(message, headers={"Allow": ""})
