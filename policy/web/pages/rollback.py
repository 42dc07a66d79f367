"""Rolling a tag back: a page that says where to and asks once more, and the deed."""

from typing import Any

from starlette.responses import Response

from policy.enforcement.gate import PolicyGate
from policy.web.addresses import address, page_path_of
from policy.web.pages.marks import manifest_document, mark_of
from policy.web.sign_in import require_form, see_other
from policy.web.visit import View, Visit
from registry.administration.tag_past_handlers import roll_tag_back
from registry.auth.actions import Action
from registry.metadata import overviews
from registry.oci.digest import Digest
from registry.oci.errors import BadRequest, ManifestUnknown
from registry.oci.names import RepositoryName, Tag
from registry.telemetry.request_record import request_record_of


class RollbackPage:
    """Builds `/rollback/NAME:TAG?to=DIGEST` for who may push there, and does it.

    Args:
        gate: knows the verdicts.
    """

    def __init__(self, gate: PolicyGate) -> None:
        self._gate = gate

    async def __call__(self, visit: Visit) -> View:
        """The question; GET changes nothing."""
        name, tag = _authorised(visit)
        target = Digest.parse(visit.asked("to", 140))
        document = {
            "repository": name,
            "tag": tag,
            "to": await self._row(visit, name, target),
            "from": await self._row(visit, name, tag),
        }
        return View("rollback.html", document)

    async def act(self, visit: Visit) -> Response:
        """POST: the tag points at what it pointed at before."""
        name, tag = _authorised(visit)
        target = Digest.parse((await require_form(visit)).get("to", ""))
        await roll_tag_back(visit.services, visit.principal, name, tag, target)
        record = request_record_of(visit.request.scope)
        if record is not None:
            record.decision = f"rollback to {target}"
        return see_other(address(name, tag))

    async def _row(self, visit: Visit, name: RepositoryName, reference: Tag | Digest) -> dict[str, Any] | None:
        """One side; `None` where the tag points at nothing now."""
        try:
            shown = await visit.services.stores.metadata.read(overviews.manifest, name, reference)
        except ManifestUnknown:
            if isinstance(reference, Digest):
                raise
            return None
        return {**manifest_document(shown), **await mark_of(self._gate, name, shown.digest)}


def _authorised(visit: Visit) -> tuple[RepositoryName, Tag]:
    """Which tag. Raises Denied, or BadRequest for what is no tag."""
    path = page_path_of(visit.text)
    record = request_record_of(visit.request.scope)
    if record is not None:
        record.repository, record.reference = path.repository, str(path.reference or "")
    visit.require(Action.PULL, path.repository)
    visit.require(Action.PUSH, path.repository)
    if not isinstance(path.reference, Tag):
        raise BadRequest("only a tag is rolled back: name one, as in NAME:TAG")
    return path.repository, path.reference
