"""The answers to reviews, from the decisions on their images.

Sources: k8s.io/api/admission/v1 and k8s.io/api/imagepolicy/v1alpha1. A client is shown 256 characters of each warning.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from policy.kubernetes.image_decisions import ImageDecision
from policy.kubernetes.image_places import ImagePlace
from policy.kubernetes.review import ADMISSION, IMAGE
from policy.rules.text_limits import elided, listed

_WARNING = 256
_WARNINGS = 16
_REASON = 4000
_AUDITED = 4000

Decisions = Mapping[str, ImageDecision]


def image_review_answer(decisions: Decisions) -> dict[str, Any]:
    """An ImageReview with its `status` alone."""
    status: dict[str, Any] = {"allowed": is_allowed(decisions), "auditAnnotations": _audited(decisions.values())}
    if not status["allowed"]:
        status["reason"] = reason(decisions)
    return {"apiVersion": IMAGE[0], "kind": IMAGE[1], "metadata": {}, "spec": {}, "status": status}


def admission_answer(
    uid: str, decisions: Decisions, places: Sequence[ImagePlace] = (), *, pins: bool = False
) -> dict[str, Any]:
    """An AdmissionReview with its `response` alone.

    Args:
        uid: of the request.
        decisions: by image.
        places: where the images are named.
        pins: whether names of images of this registry are replaced by those with the digest that was judged.
    """
    response: dict[str, Any] = {"uid": uid, "allowed": is_allowed(decisions)}
    if not response["allowed"]:
        response["status"] = {
            "status": "Failure",
            "code": 403,
            "reason": "Forbidden",
            "message": reason(decisions),
        }
    elif pins and (patch := [*_patch(decisions, places)]):
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(json.dumps(patch).encode()).decode()
    response["warnings"] = _warnings(decisions.values())
    response["auditAnnotations"] = _audited(decisions.values())
    return {"apiVersion": ADMISSION[0], "kind": ADMISSION[1], "response": response}


def is_allowed(decisions: Decisions) -> bool:
    """Whether all are; an object without images is."""
    return all(each.allowed for each in decisions.values())


def reason(decisions: Decisions) -> str:
    """Why it is denied: what is wrong with each image, in at most 4,000 bytes; "" when it is allowed."""
    return listed("", [each.message for each in decisions.values() if not each.allowed], _REASON)


def _patch(decisions: Decisions, places: Iterable[ImagePlace]) -> Iterator[dict[str, str]]:
    """RFC 6902; nothing for images that are pinned, and for those that were not judged."""
    for place in places:
        pinned = decisions[place.image].pinned
        if pinned and "@" not in place.image:
            yield {"op": "replace", "path": place.pointer, "value": f"{place.scheme}{pinned}"}


def _warnings(decisions: Iterable[ImageDecision]) -> list[str]:
    found = dict.fromkeys(warning for each in decisions for warning in each.warnings)
    texts = [elided(" ".join(text.split()), _WARNING) for text in found]
    left = len(texts) - _WARNINGS
    return texts if left <= 0 else [*texts[:_WARNINGS], f"and {left} more warnings: basegate explain shows them"]


def _audited(decisions: Iterable[ImageDecision]) -> dict[str, str]:
    """`{"images": "IMAGE VERDICT PINNED; …"}`: what was judged, for the cluster's audit log."""
    told = [" ".join(filter(None, (each.image, each.verdict or "not judged", each.pinned))) for each in decisions]
    return {"images": listed("", told, _AUDITED)} if told else {}
