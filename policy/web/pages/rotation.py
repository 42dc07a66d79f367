"""New secrets of a principal: a page that asks once more, and the answer, which tells them once."""

from starlette.responses import Response

from policy.web.owners import require_owner
from policy.web.responses import html
from policy.web.sign_in import require_form
from policy.web.visit import View, Visit
from registry.administration.principal_handlers import existing, renewed
from registry.api.confidential import require_confidential
from registry.auth.enrolment import SECRET_NAMES, document_of
from registry.oci.errors import BadRequest
from registry.telemetry.request_record import request_record_of

_LIFE = 365
_BOTH = "both"
_ACT = "renew secrets"


async def rotation_page(visit: Visit) -> View:
    """Builds `/rotate/NAME` for owners; GET changes nothing."""
    require_owner(visit, _ACT)
    row = await existing(visit.services, visit.text)
    return View("rotate.html", document_of(row), {"names": SECRET_NAMES, "life": _LIFE})


async def rotate(visit: Visit) -> Response:
    """POST: one secret or both are made anew, and told on this one page."""
    require_owner(visit, _ACT)
    require_confidential(visit.request, "new secrets")
    which = (await require_form(visit)).get("secret", "")
    if which not in {_BOTH, *SECRET_NAMES}:
        raise BadRequest(f"the form does not say which secret: choose {' or '.join(SECRET_NAMES)}, or both")
    row = await existing(visit.services, visit.text)
    names = SECRET_NAMES if which == _BOTH else (which,)
    record = request_record_of(visit.request.scope)
    if record is not None:
        record.decision = f"name={row.name} secrets={','.join(names)}"
    made = await renewed(visit.services, row, names, _LIFE)
    return await html(visit.request, "secrets.html", {"page": made}, visit.principal)
