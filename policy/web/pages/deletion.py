"""Deleting: a page that says what goes and asks once more, and the deed."""

from typing import Any

from starlette.responses import Response

from policy.web.addresses import PagePath, address, page_path_of
from policy.web.sign_in import require_form, see_other
from policy.web.visit import View, Visit
from registry.auth.actions import Action
from registry.metadata import overviews
from registry.oci.digest import Digest
from registry.oci.errors import BadRequest
from registry.oci.names import RepositoryName, Tag
from registry.telemetry.request_record import note_decision, request_record_of

_SHOWN = 20


async def deletion_page(visit: Visit) -> View:
    """Builds `/delete/NAME:TAG` and `/delete/NAME@DIGEST` for who may delete there. GET changes nothing."""
    path = _authorised(visit)
    assert path.reference is not None  # noqa: S101  `_authorised` has refused that
    name, metadata = path.repository, visit.services.stores.metadata
    shown = await metadata.read(overviews.manifest, name, path.reference)
    tags = await metadata.read(overviews.tags_of, name, shown.digest, _SHOWN + 1)
    referrers, more = await _referrers(visit, name, shown.digest)
    document: dict[str, Any] = {
        "repository": name,
        "reference": path.reference,
        "is_tag": isinstance(path.reference, Tag),
        "digest": shown.digest,
        "size": shown.size,
        "tags": [tag for tag in tags if tag != path.reference],
        "referrers": referrers,
        "more_referrers": more,
    }
    return View("delete.html", document)


async def delete(visit: Visit) -> Response:
    """POST: the tag alone, or the manifest with all its tags, when the name was typed again."""
    path = _authorised(visit)
    fields = await require_form(visit)
    if fields.get("name", "").strip() != str(path.reference):
        raise BadRequest(f"the name that was typed is not {path.reference}: nothing was deleted, type it as it stands")
    assert path.reference is not None  # noqa: S101  `_authorised` has refused that
    await visit.services.manifests.delete(path.repository, path.reference, visit.principal)
    note_decision(visit.request, f"deleted {path.reference}")
    return see_other(address(path.repository))


async def _referrers(visit: Visit, name: RepositoryName, digest: Digest) -> tuple[int, bool]:
    """How many refer to it, and whether there are more; for who may not pull, none are told of."""
    if not visit.may(Action.PULL, name):
        return 0, False
    page = await visit.services.referrers.page(visit.principal, name, digest, "", _SHOWN, "")
    return len(page.entries), page.more


def _authorised(visit: Visit) -> PagePath:
    """Where it is to be deleted. Raises Denied, or BadRequest for a whole repository."""
    path = page_path_of(visit.text)
    record = request_record_of(visit.request.scope)
    if record is not None:
        record.repository, record.reference = path.repository, str(path.reference or "")
    visit.require(Action.METADATA_READ, path.repository)
    visit.require(Action.DELETE, path.repository)
    if path.reference is None:
        raise BadRequest("a whole repository is not deleted here: name a tag or a digest")
    return path
