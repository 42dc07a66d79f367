"""`/acr/v1/{name}/_manifests`: the manifests of a repository, and the policy's verdicts as their quarantine."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.azure.data_plane import paging
from policy.azure.data_plane.changes import OF_MANIFESTS, change_of
from policy.azure.data_plane.documents import Described, envelope, manifest_document
from policy.azure.data_plane.handler import Handlers
from policy.azure.data_plane.platforms import Platforms
from policy.azure.data_plane.quarantine import Quarantine
from policy.azure.data_plane.settings import DataPlaneSettings
from registry.api.path_parameters import repository_of
from registry.api.services import Services
from registry.auth.challenge import challenger
from registry.auth.principals import Principal
from registry.content.parsing import Parsing
from registry.metadata.attributes import ManifestAttributes
from registry.oci.digest import Digest


class ManifestHandlers(Handlers):
    """Lists, shows and locks manifests.

    Args:
        settings, parsing: as of all handlers.
        platforms: what images run on.
        quarantine: what the policy says of them.
    """

    def __init__(
        self,
        settings: Callable[[], DataPlaneSettings],
        parsing: Parsing,
        platforms: Platforms,
        quarantine: Quarantine,
    ) -> None:
        super().__init__(settings, parsing)
        self._platforms = platforms
        self._quarantine = quarantine

    async def page(self, services: Services, request: Request, _principal: Principal) -> Response:
        """GET: the manifests by digest, or in the order of time that is asked for."""
        name, size = repository_of(request), paging.size_of(services, request)
        found = await services.attributes.manifests(name, size, paging.page_start_of(request))
        headers: dict[str, str] = {}
        if found.more:
            last = found.items[-1]
            headers = paging.link(request, f"/acr/v1/{name}/_manifests", size, last.digest, last.updated)
        told = [
            manifest_document(each, await self._described(services, request, each, whole=False)) for each in found.items
        ]
        return JSONResponse(envelope(self.login_server(services, request), name, manifests=told), headers=headers)

    async def show(self, services: Services, request: Request, _principal: Principal) -> Response:
        """GET: its attributes, and the manifests of an index."""
        name, digest = repository_of(request), Digest.parse(request.path_params["digest"])
        told = await services.attributes.of_manifest(name, digest)
        document = manifest_document(told, await self._described(services, request, told, whole=True))
        return JSONResponse(envelope(self.login_server(services, request), name, manifest=document))

    async def change(self, services: Services, request: Request, principal: Principal) -> Response:
        """PATCH: its locks; answers as GET does."""
        name, digest = repository_of(request), Digest.parse(request.path_params["digest"])
        change = await change_of(request, self.parsing, self.settings().attributes_bytes, OF_MANIFESTS)
        self.require_locker(principal, name, change)
        self.note(request, change)
        if change.state or change.details:
            await services.attributes.of_manifest(name, digest)
            await self._quarantine.change(principal, name, digest, change)
        await services.attributes.lock(principal, name, digest, change.locks)
        return await self.show(services, request, principal)

    async def _described(
        self, services: Services, request: Request, told: ManifestAttributes, *, whole: bool
    ) -> Described:
        name = repository_of(request)
        origin = challenger(request, services.stores.settings.current).origin
        return Described(
            await self._platforms.of_image(told),
            await self._platforms.of_index(name, told) if whole else None,
            await self._quarantine.of(name, told.digest, origin),
        )
