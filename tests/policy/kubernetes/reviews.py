"""Reviews as kube-apiserver sends them, and what came back."""

from collections.abc import Mapping
from typing import Any

import httpx

from tests.policy.live import LiveGateway

UID = "705ab4f5-6393-11e8-b7cc-42010a800002"
Document = dict[str, Any]


def pod(spec: Mapping[str, Any]) -> Document:
    """A Pod."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "lab"}, "spec": dict(spec)}


def container(image: str) -> Document:
    """A Pod of one container."""
    return pod({"containers": [{"name": "c", "image": image}]})


def admission_review(after: Any, operation: str = "CREATE", before: Any = None) -> Document:
    """A question about a change."""
    request = {
        "uid": UID,
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "name": "p",
        "namespace": "lab",
        "operation": operation,
        "userInfo": {"username": "ann"},
        "object": after,
        "oldObject": before,
        "dryRun": False,
        "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def image_review(*images: str) -> Document:
    """A question about the containers of a Pod, as ImagePolicyWebhook asks it."""
    spec = {"containers": [{"image": image} for image in images], "namespace": "lab"}
    document = {"kind": "ImageReview", "apiVersion": "imagepolicy.k8s.io/v1alpha1", "metadata": {}, "spec": spec}
    return document | {"status": {"allowed": False}}


def image_reviewed(client: httpx.Client, *images: str) -> Document:
    """The answer to it."""
    answer = client.post("/policy/v1/imagereview", params={"timeout": "30s"}, json=image_review(*images))
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    assert (document["kind"], document["apiVersion"]) == ("ImageReview", "imagepolicy.k8s.io/v1alpha1")
    return document


def admitted(client: httpx.Client, after: Any, operation: str = "CREATE", before: Any = None, **query: str) -> Document:
    """The response to an admission review, which repeats the uid."""
    answer = client.post(
        "/policy/v1/admission", params={"timeout": "10s", **query}, json=admission_review(after, operation, before)
    )
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    assert (document["kind"], document["apiVersion"]) == ("AdmissionReview", "admission.k8s.io/v1")
    response: Document = document["response"]
    assert response["uid"] == UID
    return response


def asked(gateway: LiveGateway, after: Any, who: str = "reader", **query: str) -> Document:
    """The response to a principal who creates an object."""
    with gateway.client(who) as client:
        return admitted(client, after, **query)


def message(response: Document) -> str:
    """Why it was denied."""
    assert not response["allowed"]
    assert (response["status"]["code"], response["status"]["reason"]) == (403, "Forbidden")
    return str(response["status"]["message"])
