"""One exception class per OCI error code, one table of HTTP statuses (distribution-spec, "Error Codes")."""

from collections.abc import Mapping
from typing import Any, ClassVar

from registry.errors import BasegateError


class OciError(BasegateError):
    """An error response of the form `{"errors": [{"code", "message", "detail"}]}`.

    Args:
        message: one sentence for a person: what was found, what is needed, what to do. Docker prints only this.
        detail: any JSON value; `None` leaves the member out.
        headers: extra response headers (`Range`, `Retry-After`, `WWW-Authenticate`, …).
    """

    code: ClassVar[str] = "UNSUPPORTED"
    default_message: ClassVar[str] = "the request cannot be served"
    retry_seconds: ClassVar[str] = ""
    """What `Retry-After` says where `headers` do not; "" for none."""

    def __init__(self, message: str = "", detail: Any = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message or self.default_message)
        self.detail = detail
        self.headers = ({"Retry-After": self.retry_seconds} if self.retry_seconds else {}) | dict(headers or {})

    @property
    def message(self) -> str:
        """The sentence for a person."""
        return str(self.args[0])


class BlobUnknown(OciError):
    """The blob is not in this repository."""

    code = "BLOB_UNKNOWN"
    default_message = "blob unknown to this repository"


class BlobUploadInvalid(OciError):
    """The upload request is invalid; the session can go on."""

    code = "BLOB_UPLOAD_INVALID"
    default_message = "blob upload invalid"


class RangeNotSatisfiable(BlobUploadInvalid):
    """A chunk does not start where the upload ends, or a read lies outside the content (416)."""

    default_message = "the range does not fit"


class BlobUploadUnknown(OciError):
    """There is no such upload session in this repository."""

    code = "BLOB_UPLOAD_UNKNOWN"
    default_message = "blob upload unknown to this repository: start a new one"


class DigestInvalid(OciError):
    """A digest is malformed, of an unsupported algorithm, or not that of the content."""

    code = "DIGEST_INVALID"
    default_message = "the digest is not valid"


class ManifestBlobUnknown(OciError):
    """A manifest refers to a blob or manifest that is not in this repository."""

    code = "MANIFEST_BLOB_UNKNOWN"
    default_message = "the manifest names content that this repository does not hold"


class ManifestInvalid(OciError):
    """The manifest is not well-formed or not of a supported form."""

    code = "MANIFEST_INVALID"
    default_message = "manifest invalid"


class TagInvalid(ManifestInvalid):
    """A tag breaks the grammar. The specification's table has no code of its own for it."""

    default_message = "the tag is not valid"


class ManifestUnknown(OciError):
    """There is no such manifest in this repository."""

    code = "MANIFEST_UNKNOWN"
    default_message = "manifest unknown"


class NameInvalid(OciError):
    """A repository name breaks the grammar."""

    code = "NAME_INVALID"
    default_message = "invalid repository name"


class NameUnknown(OciError):
    """The registry holds no such repository."""

    code = "NAME_UNKNOWN"
    default_message = "repository name not known to registry"


class SizeInvalid(OciError):
    """A length does not agree with the content."""

    code = "SIZE_INVALID"
    default_message = "the length does not agree with the content"


class ContentTooLarge(SizeInvalid):
    """A body is larger than a limit (413)."""

    default_message = "the content is larger than this registry accepts"


class Unauthorized(OciError):
    """Credentials are missing, wrong, or grant too little; carries the challenge in `headers`."""

    code = "UNAUTHORIZED"
    default_message = "authentication required"


class Denied(OciError):
    """The caller is known, and a final decision refuses the request."""

    code = "DENIED"
    default_message = "requested access to the resource is denied"


class QuotaExceeded(Denied):
    """A repository's byte quota does not hold the content (413)."""

    default_message = "the repository's quota is used up"


class Unsupported(OciError):
    """The operation is not offered."""

    code = "UNSUPPORTED"
    default_message = "the operation is unsupported"


class Locked(Unsupported):
    """A repository, tag or manifest is locked against the operation (405, as in Azure Container Registry)."""

    code = "REGISTRY_DISALLOWED_OPERATION"
    default_message = "the operation is disallowed on this repository, tag or manifest: it is locked"


class MethodNotAllowed(Unsupported):
    """The resource does not know this method (405); carries `Allow`."""

    default_message = "this method is not offered here"


class BadRequest(Unsupported):
    """The request is invalid in a way that no other code covers (400)."""

    default_message = "the request is malformed"


class UriTooLong(BadRequest):
    """The request names too many things (414)."""

    default_message = "the request asks for too much at once"


class NotFound(Unsupported):
    """No route of this registry matches the path (404)."""

    default_message = "there is nothing at this path"


class Unavailable(Unsupported):
    """The registry cannot serve the request now (503); carries `Retry-After`."""

    default_message = "the registry cannot serve this now: try again"
    retry_seconds = "5"


class UpstreamUnavailable(Unavailable):
    """Content of an upstream is on its way, or cannot be had now (503); carries `Retry-After`."""

    code = "UNAVAILABLE"
    default_message = "the content is being fetched from its upstream: try again"


class StorageFull(Unavailable):
    """The disk has no room for the content (507)."""

    code = "INSUFFICIENT_STORAGE"
    default_message = "the disk that holds the registry is full: nothing was stored, free some space and try again"
    retry_seconds = ""


class InternalError(Unsupported):
    """A fault of the registry itself (500)."""

    default_message = "the registry failed to serve this; its log has the request id"


class TooManyRequests(OciError):
    """The caller is asked to slow down; carries `Retry-After`."""

    code = "TOOMANYREQUESTS"
    default_message = "too many requests"
    retry_seconds = "5"


STATUS: Mapping[type[OciError], int] = {
    BlobUnknown: 404,
    BlobUploadInvalid: 400,
    RangeNotSatisfiable: 416,
    BlobUploadUnknown: 404,
    DigestInvalid: 400,
    ManifestBlobUnknown: 400,
    ManifestInvalid: 400,
    TagInvalid: 400,
    ManifestUnknown: 404,
    NameInvalid: 400,
    NameUnknown: 404,
    SizeInvalid: 400,
    ContentTooLarge: 413,
    Unauthorized: 401,
    Denied: 403,
    QuotaExceeded: 413,
    Unsupported: 405,
    Locked: 405,
    MethodNotAllowed: 405,
    BadRequest: 400,
    UriTooLong: 414,
    NotFound: 404,
    Unavailable: 503,
    UpstreamUnavailable: 503,
    StorageFull: 507,
    InternalError: 500,
    TooManyRequests: 429,
}


def status_of(error: OciError) -> int:
    """The HTTP status of an error, by its class or the nearest base class in the table."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def document_of(error: OciError) -> dict[str, Any]:
    """The JSON body of an error (distribution-spec, "Error Codes")."""
    entry: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.detail is not None:
        entry["detail"] = error.detail
    return {"errors": [entry]}
