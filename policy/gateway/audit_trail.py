"""Records the checked image and its result for logs and audit."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from registry.telemetry.request_record import exchange_of


def note_answer(
    request: Request, document: Mapping[str, Any] | None = None, *, reference: str = "", digest: str = ""
) -> None:
    """Put the image, and the result's document if any, into the request record."""
    exchange = exchange_of(request.scope)
    if exchange is None:
        return
    exchange.reference = reference or exchange.reference
    exchange.digest = digest or exchange.digest
    if document is not None:
        exchange.reference = exchange.reference or document["reference"]
        exchange.digest = document["digest"] or ""
        exchange.decision = f"{'allowed' if document['allowed'] else 'denied'}: {document['verdict']}"
