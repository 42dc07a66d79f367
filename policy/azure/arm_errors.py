"""Errors as Azure's clients read them: ARM's `{"error": {"code", "message"}}`, and OAuth's `{"error", …}`."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from starlette.responses import JSONResponse, Response

from registry.errors import BasegateError
from registry.oci.errors import (
    BadRequest,
    ContentTooLarge,
    Denied,
    InternalError,
    MethodNotAllowed,
    NotFound,
    OciError,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    status_of,
)

_PRIVATE = {"Cache-Control": "no-store"}
_CODES: Mapping[type[OciError], str] = {
    Unauthorized: "AuthenticationFailed",
    Denied: "AuthorizationFailed",
    NotFound: "NotFound",
    MethodNotAllowed: "MethodNotAllowed",
    TooManyRequests: "TooManyRequests",
    ContentTooLarge: "RequestEntityTooLarge",
    Unavailable: "ServiceUnavailable",
    InternalError: "InternalServerError",
    BadRequest: "InvalidRequestContent",
    OciError: "BadRequest",
}


class ArmError(OciError):
    """A refusal with a code of the resource manager's own.

    Args:
        status: the HTTP status.
        word: ARM's code (`ResourceNotFound`).
        message: what was found, what is needed, what to do; az prints `(code) message`.
    """

    code = "ARM"

    def __init__(self, status: int, word: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.word = word


class SignInError(OciError):
    """A refusal of the token endpoint (RFC 6749 section 5.2, RFC 8628 section 3.5); 400 unless said otherwise."""

    code = "OAUTH"

    def __init__(self, word: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.word = word


def respond_to(error: OciError) -> Response:
    """The response of a refusal, in the form that its client reads."""
    if isinstance(error, SignInError):
        document = {"error": error.word, "error_description": error.message}
        return JSONResponse(document, error.status, headers=_PRIVATE | error.headers)
    status = error.status if isinstance(error, ArmError) else status_of(error)
    headers = {name: text for name, text in error.headers.items() if name.lower() != "www-authenticate"}
    return JSONResponse(document_of(error), status, headers=_PRIVATE | headers)


def document_of(error: OciError) -> dict[str, dict[str, str]]:
    """`{"error": {"code", "message"}}` (ARM, common error response)."""
    word = error.word if isinstance(error, ArmError) else _word_of(error)
    return {"error": {"code": word, "message": error.message}}


def _word_of(error: OciError) -> str:
    return next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)


def server_form(status: int, message: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Fields and body of what the server answers by itself, before a request can be served."""
    word = "ServiceUnavailable" if status == 503 else "InvalidRequestContent"
    document = {"error": {"code": word, "message": message}}
    return [(b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff")], json.dumps(
        document
    ).encode()


@contextmanager
def refused_by_registry(status: int = 400, word: str = "InvalidRequest") -> Iterator[None]:
    """Say what the registry itself refuses in ARM's form; what has a form already keeps it."""
    try:
        yield
    except OciError:
        raise
    except BasegateError as error:
        raise ArmError(status, word, str(error)) from error
