"""What a route asks of its caller, and the one place that checks it."""

from enum import Enum

from starlette.requests import Request

from registry.auth.access import Access
from registry.auth.actions import Action
from registry.auth.principals import Principal, anonymous
from registry.oci.names import RepositoryName


class Needs(Enum):
    """The requirement of one row of the route table; repository rows mean the repository in the path."""

    NOTHING = "nothing"
    SIGNED_IN = "signed in"
    CATALOG = "registry:catalog:*"
    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"


async def authorise(needs: Needs, access: Access, request: Request) -> Principal:
    """The caller, when it may; else Unauthorized with a challenge, Denied, or TooManyRequests."""
    if needs is Needs.NOTHING:
        return anonymous(may_pull=False)
    if needs is Needs.SIGNED_IN:
        return await access.require_signed_in(request)
    if needs is Needs.CATALOG:
        return await access.require_catalog(request)
    name: RepositoryName = request.path_params["name"]
    return await access.require(request, name, Action(needs.value))
