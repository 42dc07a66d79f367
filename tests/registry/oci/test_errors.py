"""The error table: every code of distribution-spec has one class, one status, one body form."""

import pytest

from registry.oci import errors
from registry.oci.errors import STATUS, Locked, OciError, StorageFull, UpstreamUnavailable, document_of, status_of

SPECIFIED = {
    "BLOB_UNKNOWN": 404,
    "BLOB_UPLOAD_INVALID": 400,
    "BLOB_UPLOAD_UNKNOWN": 404,
    "DIGEST_INVALID": 400,
    "MANIFEST_BLOB_UNKNOWN": 400,
    "MANIFEST_INVALID": 400,
    "MANIFEST_UNKNOWN": 404,
    "NAME_INVALID": 400,
    "NAME_UNKNOWN": 404,
    "SIZE_INVALID": 400,
    "UNAUTHORIZED": 401,
    "DENIED": 403,
    "UNSUPPORTED": 405,
    "TOOMANYREQUESTS": 429,
}
# Not in distribution-spec: UNSUPPORTED alone would be taken for something that is missing here.
OWN: dict[type[OciError], str] = {
    StorageFull: "INSUFFICIENT_STORAGE",
    Locked: "REGISTRY_DISALLOWED_OPERATION",
    UpstreamUnavailable: "UNAVAILABLE",
}


def test_every_specified_code_has_its_class_and_status() -> None:
    """One direct subclass per code, with the status clients know; packages on top have forms of their own."""
    here = (kind for kind in OciError.__subclasses__() if kind.__module__ == errors.__name__)
    direct = {kind.code: STATUS[kind] for kind in here}
    assert direct == SPECIFIED


@pytest.mark.parametrize("kind", list(STATUS))
def test_every_class_of_the_table_uses_a_specified_code(kind: type[OciError]) -> None:
    """Refinements change the status, never the code; those of a full disk, a lock and an upstream have their own."""
    assert kind.code in SPECIFIED or kind.code == OWN.get(kind)


def test_an_error_without_a_row_takes_its_parents_status() -> None:
    """A new refinement cannot end as a 500."""

    class Refined(errors.BlobUnknown):
        """A refinement without a row."""

    assert status_of(Refined()) == 404


@pytest.mark.parametrize("kind", [kind for kind, status in STATUS.items() if status in {429, 503}])
def test_who_is_asked_to_come_again_hears_when(kind: type[OciError]) -> None:
    """Also where nothing is known of how long it takes; what is known is told."""
    assert int(kind().headers["Retry-After"]) > 0
    assert kind(headers={"Retry-After": "77"}).headers == {"Retry-After": "77"}


def test_the_body_has_the_specified_form() -> None:
    """`errors[0]` carries code, message and detail."""
    error = errors.Denied("no", {"rule": "os-version"})
    assert document_of(error) == {"errors": [{"code": "DENIED", "message": "no", "detail": {"rule": "os-version"}}]}


def test_detail_is_left_out_when_there_is_none() -> None:
    """The member is optional."""
    assert document_of(errors.NameUnknown()) == {
        "errors": [{"code": "NAME_UNKNOWN", "message": "repository name not known to registry"}]
    }
