"""Everything below `/r/`: a repository, or an image in it."""

from policy.enforcement.gate import PolicyGate
from policy.web.addresses import page_path_of
from policy.web.pages.image import ImagePage
from policy.web.pages.repository import RepositoryPage
from policy.web.visit import View, Visit
from registry.auth.actions import Action
from registry.content.parsing import Parsing
from registry.telemetry.request_record import request_record_of


class ContentPage:
    """Builds the page that an address names, for who may pull from the repository.

    Args:
        gate: knows the verdicts.
        parsing: reads long manifests beside the event loop.
    """

    def __init__(self, gate: PolicyGate, parsing: Parsing) -> None:
        self._repository = RepositoryPage(gate)
        self._image = ImagePage(gate, parsing)

    async def __call__(self, visit: Visit) -> View:
        """Parse, authorise, and build."""
        path = page_path_of(visit.text)
        record = request_record_of(visit.request.scope)
        if record is not None:
            record.repository, record.reference = path.repository, str(path.reference or "")
        visit.require(Action.PULL, path.repository)
        if path.reference is None:
            return await self._repository(visit, path.repository)
        return await self._image(visit, path.repository, path.reference)
