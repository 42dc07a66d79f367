"""`/acr/v1/{name}/_tags`: the tags of a repository."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.azure.data_plane import paging
from policy.azure.data_plane.changes import change_of
from policy.azure.data_plane.documents import envelope, tag_document
from policy.azure.data_plane.handler import Handlers
from registry.api.path_parameters import repository_of, tag_of
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.oci.digest import Digest


class TagHandlers(Handlers):
    """Lists, shows, locks and removes tags."""

    async def page(self, services: Services, request: Request, _principal: Principal) -> Response:
        """GET: the tags in the order that is asked for, those of one manifest with `?digest=`."""
        name, size = repository_of(request), paging.size_of(services, request)
        text = request.query_params.get("digest")
        digest = Digest.parse(text) if text else None
        found = await services.attributes.tags(name, size, paging.page_start_of(request), digest)
        headers: dict[str, str] = {}
        if found.more:
            last = found.items[-1]
            headers = paging.link(request, f"/acr/v1/{name}/_tags", size, last.name, last.updated)
        tags = [tag_document(each) for each in found.items]
        return JSONResponse(envelope(self.login_server(services, request), name, tags=tags), headers=headers)

    async def show(self, services: Services, request: Request, _principal: Principal) -> Response:
        """GET: its attributes."""
        name = repository_of(request)
        told = tag_document(await services.attributes.of_tag(name, tag_of(request)))
        return JSONResponse(envelope(self.login_server(services, request), name, tag=told))

    async def change(self, services: Services, request: Request, principal: Principal) -> Response:
        """PATCH: its locks; answers as GET does."""
        change = await change_of(request, self.parsing, self.settings().attributes_bytes)
        self.require_locker(principal, repository_of(request), change)
        self.note(request, change)
        await services.attributes.lock(principal, repository_of(request), tag_of(request), change.locks)
        return await self.show(services, request, principal)

    async def remove(self, services: Services, request: Request, principal: Principal) -> Response:
        """DELETE: it goes alone, the manifest stays: 202."""
        await services.manifests.delete(repository_of(request), tag_of(request), principal)
        return Response(status_code=202, headers={"Content-Length": "0"})
