"""One request and what became of it: what the logs, the metrics and the audit read at the edge."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Scope

from registry.auth.principals import Principal
from registry.oci.errors import OciError
from registry.oci.names import RepositoryName
from registry.storage.blob_store import StoredBlob

_KEY = "basegate.exchange"


@dataclass(slots=True)
class RequestRecord:
    """Filled in while the request is served.

    Attributes:
        request_id: a GUID, or the caller's own X-Request-Id; the same in the response, the log and the audit.
        client: the caller's address, that behind a trusted proxy.
        operation: the route's word for it (`manifests.push`); "" when no route matched.
        repository: the repository in the path, when there is one.
        reference: the tag, digest or upload id that ends the path, as it was written.
        digest: of the content that was handed out or recorded (`Docker-Content-Digest` of the response), else "".
        decision: what a check was answered (`denied: refused`), or what was asked to be changed, else "".
        principal: who called, once known.
        error: what was refused or went wrong.
        status: the HTTP status; 0 when the caller left before there was one, 499 in the log.
        blob: the file that the answer tells of, when it tells of one.
        received, sent: body bytes.
        seconds: from the first byte of the request's head to the last of the response.
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
    received: int = 0
    sent: int = 0
    seconds: float = 0.0


def new_request_id() -> str:
    """A GUID that no other request has. It is no secret, so that the operating system need not be asked each time."""
    text = f"{random.getrandbits(128) & _FREE | _VERSION_4:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_VERSION_4 = 0x4000_8000_0000_0000_0000
_FREE = (1 << 128) - 1 ^ 0xF000_C000_0000_0000_0000

Observer = Callable[[RequestRecord], None]


def remember(scope: Scope, exchange: RequestRecord) -> None:
    """Attach the exchange to its request."""
    scope[_KEY] = exchange


def exchange_of(scope: Scope) -> RequestRecord | None:
    """The exchange of a request; `None` when it did not come in over the edge."""
    found: RequestRecord | None = scope.get(_KEY)
    return found
