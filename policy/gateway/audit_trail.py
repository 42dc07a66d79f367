"""Records the checked image and its result for logs and audit."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from registry.telemetry.request_record import request_record_of


def note_answer(
    request: Request, document: Mapping[str, Any] | None = None, *, reference: str = "", digest: str = ""
) -> None:
    """Put the image, and the result's document if any, into the request record."""
    request_record = request_record_of(request.scope)
    if request_record is None:
        return
    request_record.reference = reference or request_record.reference
    request_record.digest = digest or request_record.digest
    if document is not None:
        request_record.reference = request_record.reference or document["reference"]
        request_record.digest = document["digest"] or ""
        request_record.decision = f"{'allowed' if document['allowed'] else 'denied'}: {document['verdict']}"
