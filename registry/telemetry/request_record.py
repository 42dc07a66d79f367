"""The record of one request and its response, for logs, metrics and audit."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import Scope

from registry.auth.principals import Principal
from registry.oci.errors import OciError
from registry.oci.names import RepositoryName
from registry.storage.blob_store import StoredBlob

_KEY = "basegate.request_record"


@dataclass(slots=True)
class RequestRecord:
    """Filled in while the request is served.

    Attributes:
        request_id: a GUID, or the caller's own X-Request-Id; the same in the response, the log and the audit.
        client: the caller's address; behind a trusted proxy, the address that it forwards.
        operation: the operation of the route (`manifests.push`); "" when no route matched.
        repository: in the path, if any.
        reference: the tag, digest or upload id at the end of the path, as written.
        digest: of the content sent or stored (`Docker-Content-Digest` of the response), else "".
        decision: the result of a check (`denied: refused`), or the requested change, else "".
        principal: the caller, once known.
        error: the refusal or failure, if any.
        status: the HTTP status; 0 when the caller left before there was one, 499 in the log.
        blob: the file that the response is about, if any.
        uncounted: whether it is no use of what it reads: a copy or verification by a command of basegate.
        received, sent: body bytes.
        seconds: from the first byte of the request's head to the last byte of the response.
    """

    request_id: str
    client: str
    method: str
    path: str
    operation: str = ""
    repository: RepositoryName | None = None
    reference: str = ""
    digest: str = ""
    decision: str = ""
    principal: Principal | None = None
    error: OciError | None = None
    status: int = 0
    blob: StoredBlob | None = None
    uncounted: bool = False
    received: int = 0
    sent: int = 0
    seconds: float = 0.0


def new_request_id() -> str:
    """A new GUID. It is no secret, so the operating system's random numbers are not needed."""
    text = f"{random.getrandbits(128) & _FREE | _VERSION_4:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_VERSION_4 = 0x4000_8000_0000_0000_0000
_FREE = (1 << 128) - 1 ^ 0xF000_C000_0000_0000_0000

Observer = Callable[[RequestRecord], None]


def remember(scope: Scope, record: RequestRecord) -> None:
    """Attach the record to its request."""
    scope[_KEY] = record


def request_record_of(scope: Scope) -> RequestRecord | None:
    """The record of a request; `None` when it did not pass the middleware."""
    record: RequestRecord | None = scope.get(_KEY)
    return record


def note_decision(request: Request, words: str) -> None:
    """Let the audit log know what is decided or to be done; no secret may be among the words."""
    record = request_record_of(request.scope)
    if record is not None:
        record.decision = words
