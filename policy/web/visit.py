"""One visit of a page: who came, for what, and what they may see."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request

from policy.web.settings import WebSettings
from registry.api.services import Services
from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.oci.names import RepositoryName


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit.

    Attributes:
        services: of the registry.
        request: what was asked.
        principal: who asked.
        text: the end of the path, for pages that have one, without `.json`.
        settings: the section `web`.
    """

    services: Services
    request: Request
    principal: Principal
    text: str
    settings: WebSettings

    def may(self, action: Action, repository: RepositoryName) -> bool:
        """Whether the caller may do something to a repository, by role and token."""
        return self.services.access.permits(self.request, self.principal, action, repository)

    def require(self, action: Action, repository: RepositoryName) -> None:
        """Refuse whoever may not. Raises Denied, or Unauthorized for a token that is too narrow."""
        self.services.access.require_known(self.request, self.principal, repository, action)

    @property
    def sees(self) -> Callable[[RepositoryName], bool]:
        """Whether a repository may be shown to the caller."""
        return partial(self.may, Action.PULL)

    def asked(self, name: str, most: int = 1024) -> str:
        """A parameter of the query, cut to `most` characters; empty when it is not there."""
        return self.request.query_params.get(name, "")[:most]


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows: a document, and the template that makes HTML of it.

    Attributes:
        template: the name of a file in `templates/`.
        document: JSON-able data; `.json` answers it as it is.
        more: what only the HTML needs, such as forms.
    """

    template: str
    document: dict[str, Any]
    more: dict[str, Any] | None = None
