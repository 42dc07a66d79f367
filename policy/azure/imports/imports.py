"""Imports under way, and what became of them: copies into repositories of this registry, in its own process.

They end with the process. What has come stays, so that the same import again goes on where it was.
"""

import asyncio
import fnmatch
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import structlog

from policy.attestation.recognition import is_signed_verdict
from policy.azure.arm_errors import ArmError
from policy.azure.expiring import Expiring
from policy.azure.imports.request import ImportRequest, ImportTarget
from policy.azure.imports.settings import ImportSettings
from registry.api.services import Services
from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.auth.sign_in import Identity
from registry.errors import BasegateError
from registry.oci.errors import Denied, InternalError
from registry.registry_client.addresses import Reach, addresses_of, is_proxied, reach_of
from registry.registry_client.client import RegistryClient, given, nobody
from registry.registry_client.endpoint import Endpoint
from registry.transfer.contents import Source
from registry.transfer.copying import Copying
from registry.transfer.platforms import ALL
from registry.transfer.remote import RemoteRepository
from registry.transfer.repository import Repository, Shelf

_REMEMBERED = 10_000


@dataclass(slots=True)
class Import:
    """One import.

    Attributes:
        principal_id: of who asked; nobody else is told of it.
        done: whether it is over.
        error: why it failed; `None` when it did not.
    """

    principal_id: str
    done: bool = False
    error: str | None = None
    task: "asyncio.Task[None] | None" = field(default=None, repr=False)


class Imports:
    """Begins imports, and tells of them.

    Args:
        services: of the registry.
        settings: section `azure.imports`.
    """

    def __init__(self, services: Services, settings: Callable[[], ImportSettings]) -> None:
        self._services = services
        self._settings = settings
        self._turns = asyncio.Semaphore(settings().at_once)
        self._known: Expiring[Import] = Expiring(_REMEMBERED, settings().remembered_seconds, share=_REMEMBERED)
        self._running: dict[str, Import] = {}
        self._log = structlog.get_logger(__name__)

    async def begin(self, caller: Identity, request: ImportRequest) -> str:
        """Begin an import; returns the code under which it is known.

        Raises:
            ArmError: the source may not be read, a tag is there already, or too many imports wait.
            Denied: the caller may not push to a target, or pull from the source where that is this registry.
        """
        principal = caller.principal
        self._require_allowed(principal, request)
        await self._require_source(request)
        await self._require_free(principal, request)
        settings = self._settings()
        if len(self._running) >= settings.at_once + settings.waiting:
            raise ArmError(429, "TooManyRequests", "too many imports are under way: wait for some to end")
        code, made = secrets.token_urlsafe(16), Import(principal.id)
        self._running[code] = made
        made.task = asyncio.create_task(self._run(code, made, principal, request))
        return code

    def find(self, caller: Identity, code: str) -> Import:
        """An import that this caller has begun. Raises ArmError."""
        found = self._running.get(code) or self._known.get(code)
        if found is None or found.principal_id != caller.principal.id:
            raise ArmError(404, "ResourceNotFound", "this import is not known, or was forgotten: begin it again")
        return found

    async def _run(self, code: str, made: Import, principal: Principal, request: ImportRequest) -> None:
        try:
            async with self._turns, self._source(principal, request) as source:
                await self._require_free(principal, request)  # it may have waited for long
                [image] = await source.images()
                for target in request.targets:
                    await self._copying(source, principal, target, own=not request.host).copy(image, target.tag)
        except BasegateError as error:
            made.error = str(error)
        except asyncio.CancelledError:
            made.error = "the registry was stopped: begin the import again, it goes on where it was"
            raise
        except Exception:  # noqa: BLE001 - whoever polls is told of it
            self._log.exception("an import failed")
            made.error = InternalError.default_message
        finally:
            made.done = True
            del self._running[code]
            self._known.put(code, made)

    def _copying(self, source: Source, principal: Principal, target: ImportTarget, *, own: bool) -> Copying:
        limits = self._services.stores.settings.current.transfer
        repository = Repository(self._shelf, principal, target.repository)
        leave = is_signed_verdict if own else lambda _referrer: False
        return Copying(source, repository, limits, selection=ALL, leave=leave)

    @asynccontextmanager
    async def _source(self, principal: Principal, request: ImportRequest) -> AsyncIterator[Source]:
        image = request.image
        if not request.host:
            yield Repository(self._shelf, principal, image.repository, image.reference)
            return
        login = nobody if request.login is None else given(request.login)
        endpoint = Endpoint.parse(request.host)
        if request.host not in self._settings().registries:
            # It was looked at when the import was begun; its name may have another address by now.
            endpoint = replace(endpoint, deepest=Reach.PRIVATE)
        async with RegistryClient(endpoint, login) as client:
            yield RemoteRepository(client, image.repository, image.reference)

    @property
    def _shelf(self) -> Shelf:
        made = self._services
        return Shelf(made.blobs, made.uploads, made.manifests, made.tags, made.referrers)

    def _require_allowed(self, principal: Principal, request: ImportRequest) -> None:
        for target in request.targets:
            if not principal.may(Action.PUSH, target.repository):
                raise Denied(f"principal {principal.name} may not push to {target.repository}")
            if self._services.pull_through.covers(target.repository):
                self._services.pull_through.require_pushable(target.repository)
        if not request.host and not principal.may(Action.PULL, request.image.repository):
            raise Denied(f"principal {principal.name} may not pull from {request.image.repository}")

    async def _require_source(self, request: ImportRequest) -> None:
        """Raise ArmError when the settings do not let images come from there."""
        host, patterns = request.host, self._settings().registries
        if not host or host in patterns:
            return
        endpoint = Endpoint.parse(host)
        allowed = any(fnmatch.fnmatchcase(host, pattern) for pattern in patterns)
        if allowed and not is_proxied(endpoint.host, endpoint.scheme):
            reach = max(reach_of(address) for address in await addresses_of(endpoint.host))
            allowed = reach < Reach.LINK_LOCAL
        if not allowed:
            raise ArmError(
                403,
                "AuthorizationFailed",
                f"images are not imported from {host[:255]}: whoever runs this registry can name it in the setting "
                "azure.imports.registries",
            )

    async def _require_free(self, principal: Principal, request: ImportRequest) -> None:
        """Raise ArmError when a tag is there already and must not move."""
        for target in () if request.force else request.targets:
            there = target.tag and await Repository(self._shelf, principal, target.repository).digest_of(target.tag)
            if there:
                raise ArmError(
                    409, "Conflict", f"the tag {target} is there already, at {there}: --force moves it to the image"
                )
