"""What a route requires of its caller, and the check."""

from collections.abc import Iterator
from enum import Enum

from starlette.requests import Request

from registry.api.path_parameters import repository_of, source_of
from registry.api.services import Services
from registry.auth.access import Access
from registry.auth.actions import Action
from registry.auth.principals import Principal, anonymous
from registry.auth.scopes import CATALOG_SCOPE
from registry.oci.names import RepositoryName


class Requirement(Enum):
    """The requirement of one row of the route table; repository rows mean the repository in the path."""

    NOTHING = "nothing"
    SIGNED_IN = "signed in"
    AZURE = "signed in, as Azure's API asks for it"
    OWNER = "role Owner for all repositories"
    METADATA_READ = "metadata_read"
    METADATA_WRITE = "metadata_write"
    DELETED_CATALOG = "registry:deleted_catalog:*"
    DELETED_READ = "deleted_read"
    DELETED_RESTORE = "deleted_restore"
    CATALOG = "registry:catalog:*"
    PULL = "pull"
    PUSH = "push"
    UPLOAD = "push, within the upload session that the path names"
    DELETE = "delete"


async def authorise(needs: Requirement, services: Services, request: Request) -> Principal:
    """The authorised caller. Raises Unauthorized with a challenge, Denied, or TooManyRequests."""
    access = services.access
    match needs:
        case Requirement.NOTHING:
            return anonymous(may_pull=False)
        case Requirement.SIGNED_IN:
            return await access.identify(request)
        case Requirement.AZURE:  # Microsoft's SDK cannot read a challenge without a scope
            return await access.identify(request, (CATALOG_SCOPE,))
        case Requirement.CATALOG | Requirement.DELETED_CATALOG | Requirement.OWNER:
            return await _of_registry(needs, access, request)
        case Requirement.UPLOAD:
            return await _within_session(services, request)
    repository = repository_of(request)
    principal = await access.require(request, repository, _ACTIONS[needs], also=_sources(request))
    if needs is Requirement.PUSH and services.pull_through.covers(repository):
        services.pull_through.require_pushable(repository)
    return principal


async def _of_registry(needs: Requirement, access: Access, request: Request) -> Principal:
    """For what is about the registry as a whole."""
    if needs is Requirement.OWNER:
        return await access.require_owner(request)
    return await access.require_catalog(request, deleted=needs is Requirement.DELETED_CATALOG)


_ACTIONS = {
    Requirement.PULL: Action.PULL,
    Requirement.PUSH: Action.PUSH,
    Requirement.DELETE: Action.DELETE,
    Requirement.METADATA_READ: Action.METADATA_READ,
    Requirement.METADATA_WRITE: Action.METADATA_WRITE,
    Requirement.DELETED_READ: Action.DELETED_READ,
    Requirement.DELETED_RESTORE: Action.DELETED_RESTORE,
}


def _sources(request: Request) -> Iterator[RepositoryName]:
    """Read when a challenge needs it."""
    source = source_of(request)
    if source is not None:
        yield source


async def _within_session(services: Services, request: Request) -> Principal:
    name, upload = repository_of(request), request.path_params["upload"]

    async def owner() -> str:
        session = await services.uploads.find(name, upload, None)
        return "" if session is None else session.principal_id

    return await services.access.require(request, name, Action.PUSH, session=owner)
