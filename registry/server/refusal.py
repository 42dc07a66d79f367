"""The server's own error responses, in OCI form (distribution-spec, "Error Codes")."""

import json

from registry.http.request_head import Fields
from registry.oci.errors import BadRequest, OciError, Unavailable, document_of

_UNAVAILABLE = 503


def oci_form(status: int, message: str) -> tuple[Fields, bytes]:
    """Header fields and body of a response to a request that cannot be served."""
    kind: type[OciError] = Unavailable if status == _UNAVAILABLE else BadRequest
    fields = [
        (b"content-type", b"application/json"),
        (b"docker-distribution-api-version", b"registry/2.0"),
        (b"x-content-type-options", b"nosniff"),
    ]
    return fields, json.dumps(document_of(kind(message))).encode()
