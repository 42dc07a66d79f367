"""Reviews that are none: a clear answer in the registry's error form, which Kubernetes takes for a denial."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from policy.settings import Settings
from tests.policy.kubernetes.conftest import LAB
from tests.policy.kubernetes.reviews import admission_review, admitted, container, image_review, message, pod
from tests.policy.live import LiveGateway

Change = Callable[[dict[str, Any]], object]
REVIEW_BYTES = Settings().kubernetes.review_bytes
ADMISSIONS: dict[str, tuple[Change, str]] = {
    "no uid": (lambda review: review["request"].pop("uid"), "request.uid is missing: needs a text"),
    "an empty uid": (lambda review: review["request"].update(uid=""), "request.uid is empty"),
    "a number as uid": (lambda review: review["request"].update(uid=7), "request.uid is a number"),
    "no request": (lambda review: review.pop("request"), "request of this AdmissionReview is missing"),
    "an answer": (lambda review: review.update(request=None), "request of this AdmissionReview is missing"),
    "no operation": (lambda review: review["request"].pop("operation"), "needs one of CREATE, UPDATE"),
    "another operation": (lambda review: review["request"].update(operation="EAT"), "request.operation is 'EAT'"),
    "no object": (lambda review: review["request"].pop("object"), "object of this AdmissionReview is missing"),
    "a list as object": (
        lambda review: review["request"].update(object=[1]),
        "object of this AdmissionReview is a list",
    ),
    "a change without before": (lambda review: review["request"].update(operation="UPDATE"), "oldObject of this"),
    "an older version": (lambda review: review.update(apiVersion="admission.k8s.io/v1beta1"), "v1beta1': needs"),
    "another kind": (lambda review: review.update(kind="Pod"), "the body is 'Pod' of"),
    "no kind": (lambda review: review.pop("kind"), "needs AdmissionReview of admission.k8s.io/v1"),
}
IMAGES: dict[str, tuple[Change, str]] = {
    "no spec": (lambda review: review.pop("spec"), "spec of this ImageReview is missing"),
    "an object as containers": (lambda review: review["spec"].update(containers={"a": 1}), "spec.containers is an obj"),
    "no image": (lambda review: review["spec"]["containers"].append({}), "spec.containers[1].image is missing"),
    "a text as container": (lambda review: review["spec"]["containers"].append("a"), "spec.containers[1].image"),
    "another version": (
        lambda review: review.update(apiVersion="imagepolicy.k8s.io/v1"),
        "imagepolicy.k8s.io/v1alpha1",
    ),
    "another review": (lambda review: review.update(kind="AdmissionReview"), "needs ImageReview of"),
}
BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "YAML": b"kind: AdmissionReview\n",
    "no UTF-8": b"\xff\xfe",
    "a member twice": b'{"kind": "AdmissionReview", "kind": "Pod"}',
    "deep": b'{"a":' * 100_000,
    "half a character": b'{"kind": "\\ud800"}',
}


def refused(gateway: LiveGateway, path: str, body: Any, status: int = 400) -> str:
    """The message of the refusal."""
    with gateway.client("reader") as client:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = client.post(f"/policy/v1/{path}", content=content)
    assert answer.status_code == status, answer.text
    return str(answer.json()["errors"][0]["message"])


@pytest.mark.parametrize("name", ADMISSIONS)
def test_an_admission_review_that_is_none(gateway: LiveGateway, name: str) -> None:
    """What was found, and what is needed."""
    change, said = ADMISSIONS[name]
    review = admission_review(container(f"{LAB}/team/app:good"))
    change(review)
    assert said in refused(gateway, "admission", review)


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_review_that_is_none(gateway: LiveGateway, name: str) -> None:
    """What was found, and what is needed."""
    change, said = IMAGES[name]
    review = image_review(f"{LAB}/team/app:good")
    change(review)
    assert said in refused(gateway, "imagereview", review)


@pytest.mark.parametrize("path", ["admission", "imagereview"])
@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_review(gateway: LiveGateway, path: str, name: str) -> None:
    """Says what is needed."""
    assert ": needs " in refused(gateway, path, BODIES[name]).replace("; needs ", ": needs ")


@pytest.mark.parametrize("path", ["admission", "imagereview"])
def test_a_review_beyond_the_limit(gateway: LiveGateway, path: str) -> None:
    """413, which names the limit and its setting."""
    said = refused(gateway, path, b"{" + b" " * REVIEW_BYTES, 413)
    assert said == f"the review is larger than {REVIEW_BYTES} bytes: kubernetes.review_bytes is the limit"


def test_a_review_of_three_mebibytes(gateway: LiveGateway) -> None:
    """Is answered as any other: as much as kube-apiserver takes from a client."""
    env = [{"name": f"N{number}", "value": "v" * 1000} for number in range(3100)]
    large = pod({"containers": [{"name": "c", "image": f"{LAB}/team/app:bad", "env": env}]})
    assert 3 << 20 < len(json.dumps(admission_review(large))) < REVIEW_BYTES
    with gateway.client("reader") as client:
        assert message(admitted(client, large)).startswith(f"{LAB}/team/app:bad is not cleared")


def test_names_of_one_spelling_in_two_cases(gateway: LiveGateway) -> None:
    """Are two names to Kubernetes, which keeps both."""
    thing = container(f"{LAB}/team/app:good") | {"data": {"a": "1", "A": "2"}}
    with gateway.client("reader") as client:
        assert admitted(client, thing)["allowed"]


def test_another_mutation(gateway: LiveGateway) -> None:
    """Is refused, and not left out in silence."""
    said = refused(gateway, "admission?mutate=tag", admission_review(pod({})))
    assert said == "mutate=tag is not known: leave it out, or ask for mutate=digest"
