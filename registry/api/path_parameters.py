"""Path parameters as domain values. Names are parsed from the right: they may contain `blobs` or `tags`."""

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request

from registry.oci.digest import Digest
from registry.oci.errors import ManifestUnknown, NameInvalid, TagInvalid
from registry.oci.names import Reference, RepositoryName, Tag, parse_reference


class RepositoryConvertor(Convertor[RepositoryName]):
    """`{name:repository}`: everything up to the fixed end of the path, slashes included."""

    regex = r"(?s:.+)"

    def convert(self, value: str) -> RepositoryName:
        """The name; NameInvalid when it breaks the grammar."""
        return RepositoryName.parse(value)

    def to_string(self, value: RepositoryName) -> str:
        """The name as text in a path."""
        return value


def register() -> None:
    """Register `{name:repository}` with the router; idempotent."""
    register_url_convertor("repository", RepositoryConvertor())


def repository_of(request: Request) -> RepositoryName:
    """The repository that the path names."""
    name: RepositoryName = request.path_params["name"]
    return name


def digest_of(request: Request) -> Digest:
    """The digest at the end of the path; DigestInvalid (400) when it is malformed."""
    return Digest.parse(request.path_params["digest"])


def reference_of(request: Request) -> Reference:
    """The tag or digest that ends the path of a write; TagInvalid or DigestInvalid (400) when it is neither."""
    return parse_reference(request.path_params["reference"])


def read_reference_of(request: Request) -> Reference:
    """The tag or digest that ends the path of a read.

    Raises:
        ManifestUnknown: it cannot be a tag; the conformance suite wants 404 here, not 400.
        DigestInvalid: it has a colon and is not a digest.
    """
    try:
        return reference_of(request)
    except TagInvalid as error:
        raise ManifestUnknown(f"manifest unknown: {error.message}", error.detail) from None


def tag_of(request: Request, parameter: str = "reference") -> Tag:
    """The tag that the path names; what cannot be one, a digest for one, is not there. Raises ManifestUnknown."""
    try:
        return Tag.parse(request.path_params[parameter])
    except TagInvalid as error:
        raise ManifestUnknown(f"the tag does not exist: {error.message}", error.detail) from None


def source_of(request: Request) -> RepositoryName | None:
    """The repository that a mount names in `?from=`; `None` for an invalid name: the push continues as an upload."""
    if not request.scope["query_string"]:
        return None
    text = request.query_params.get("from")
    try:
        return RepositoryName.parse(text) if text else None
    except NameInvalid:
        return None
