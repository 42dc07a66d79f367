"""What the logs and the audit learn of an answer: which image was asked for, and what was said."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from registry.telemetry.request_record import exchange_of


def note_answer(
    request: Request, document: Mapping[str, Any] | None = None, *, reference: str = "", digest: str = ""
) -> None:
    """Let them know the image, and the answer's document when there is one."""
    exchange = exchange_of(request.scope)
    if exchange is None:
        return
    exchange.reference = reference or exchange.reference
    exchange.digest = digest or exchange.digest
    if document is not None:
        exchange.reference = exchange.reference or document["reference"]
        exchange.digest = document["digest"] or ""
        exchange.decision = f"{'allowed' if document['allowed'] else 'denied'}: {document['verdict']}"
