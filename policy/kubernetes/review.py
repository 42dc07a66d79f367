"""The bodies of reviews: what Kubernetes sends, read strictly; no I/O.

Sources: k8s.io/api/admission/v1 and k8s.io/api/imagepolicy/v1alpha1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policy.kubernetes.image_places import ImagePlace, image_places
from registry.oci.errors import BadRequest
from registry.oci.strict_json import JsonRefused, loads

ADMISSION = ("admission.k8s.io/v1", "AdmissionReview")
IMAGE = ("imagepolicy.k8s.io/v1alpha1", "ImageReview")
_OPERATIONS = ("CREATE", "UPDATE", "DELETE", "CONNECT")
_UID = 253


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """One change that Kubernetes asks about.

    Attributes:
        uid: of the request; the answer repeats it.
        places: where the object names images, those left out that a change leaves as they were.
    """

    uid: str
    places: tuple[ImagePlace, ...]


def read_admission_review(raw: bytes, *, kserve: bool = False) -> AdmissionRequest:
    """Read an AdmissionReview of a kind of any name.

    Raises:
        BadRequest: not JSON, another kind or version, no `uid`, or no object where there must be one.
    """
    request = _member(_document(raw, ADMISSION), "request", ADMISSION)
    uid, operation = request.get("uid"), request.get("operation")
    if not isinstance(uid, str) or not 0 < len(uid) <= _UID:
        raise BadRequest(f"request.uid is {_kind(uid)}: needs a text, which the answer repeats")
    if operation not in _OPERATIONS:
        raise BadRequest(f"request.operation is {str(operation)[:40]!r}: needs one of {', '.join(_OPERATIONS)}")
    if operation == "DELETE":  # nothing starts
        return AdmissionRequest(uid, ())
    after = image_places(_member(request, "object", ADMISSION), kserve=kserve)
    if operation != "UPDATE":
        return AdmissionRequest(uid, after)
    # What was there before has been judged, or is there since before anybody asked: its finalizers and labels may
    # change whatever became of it, and the Pods that it makes are judged anew.
    before = set(image_places(_member(request, "oldObject", ADMISSION), kserve=kserve))
    return AdmissionRequest(uid, tuple(place for place in after if place not in before))


def read_image_review(raw: bytes) -> tuple[str, ...]:
    """The images that an ImageReview names; those of an update without containers are none.

    Raises:
        BadRequest: not JSON, another kind or version, or a container without an image.
    """
    containers = _member(_document(raw, IMAGE), "spec", IMAGE).get("containers") or []
    if not isinstance(containers, list):
        raise BadRequest(f"spec.containers is {_kind(containers)}: needs a list")
    return tuple(_image(container, position) for position, container in enumerate(containers))


def _image(container: Any, position: int) -> str:
    image = container.get("image") if isinstance(container, dict) else None
    if not isinstance(image, str) or not image:
        raise BadRequest(f"spec.containers[{position}].image is {_kind(image)}: needs the name of an image")
    return image


def _document(raw: bytes, needed: tuple[str, str]) -> Mapping[str, Any]:
    version, kind = needed
    try:
        document = loads(raw, exact=True)
    except JsonRefused as error:
        raise BadRequest(f"the body cannot be read: {error}; needs {kind} of {version} in JSON") from None
    if not isinstance(document, dict):
        raise BadRequest(f"the body is {_kind(document)}: needs {kind} of {version}")
    found = str(document.get("kind"))[:80], str(document.get("apiVersion"))[:80]
    if found != (kind, version):
        raise BadRequest(f"the body is {found[0]!r} of {found[1]!r}: needs {kind} of {version}")
    return document


def _member(document: Mapping[str, Any], name: str, of: tuple[str, str]) -> Mapping[str, Any]:
    value = document.get(name)
    if not isinstance(value, dict):
        raise BadRequest(f"{name} of this {of[1]} is {_kind(value)}: needs an object")
    return value


def _kind(value: Any) -> str:
    """What a value is, in a word."""
    if value is None:
        return "missing"
    if value in ("", [], {}):
        return "empty"
    kinds: Mapping[type, str] = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return kinds.get(type(value), "a number")
