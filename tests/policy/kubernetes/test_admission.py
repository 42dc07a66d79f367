"""Admission reviews over HTTP, on a live server with real images."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.trees import cleared_image, refused_image
from tests.policy.kubernetes.conftest import LAB
from tests.policy.kubernetes.reviews import (
    UID,
    admission_review,
    admitted,
    asked,
    container,
    message,
    pod,
)
from tests.policy.live import LiveGateway, live_gateway

GOOD, BAD = f"{LAB}/team/app:good", f"{LAB}/team/app:bad"


def workload(kind: str, group: str, spec: dict[str, Any]) -> dict[str, Any]:
    """An object that makes Pods."""
    return {"apiVersion": group, "kind": kind, "metadata": {"name": "w"}, "spec": spec}


def template(image: str) -> dict[str, Any]:
    """What it makes them of."""
    return {"metadata": {"labels": {"app": "w"}}, "spec": {"containers": [{"name": "c", "image": image}]}}


OBJECTS = {
    "Pod": container(BAD),
    "init container": pod({"initContainers": [{"name": "i", "image": BAD}]}),
    "ephemeral container": pod({"ephemeralContainers": [{"name": "e", "image": BAD}]}),
    "image volume": pod({"volumes": [{"name": "v", "image": {"reference": BAD, "pullPolicy": "Always"}}]}),
    "PodTemplate": {"apiVersion": "v1", "kind": "PodTemplate", "template": template(BAD)},
    "ReplicationController": workload("ReplicationController", "v1", {"template": template(BAD)}),
    "ReplicaSet": workload("ReplicaSet", "apps/v1", {"template": template(BAD)}),
    "Deployment": workload("Deployment", "apps/v1", {"template": template(BAD)}),
    "StatefulSet": workload("StatefulSet", "apps/v1", {"template": template(BAD)}),
    "DaemonSet": workload("DaemonSet", "apps/v1", {"template": template(BAD)}),
    "Job": workload("Job", "batch/v1", {"template": template(BAD)}),
    "CronJob": workload("CronJob", "batch/v1", {"jobTemplate": {"spec": {"template": template(BAD)}}}),
    "Argo Workflow": workload("Workflow", "argoproj.io/v1alpha1", {"templates": [{"container": {"image": BAD}}]}),
    "Tekton Task": workload("Task", "tekton.dev/v1", {"steps": [{"name": "s", "image": BAD}]}),
    "a kind of nobody": {"apiVersion": "x.example/v9", "kind": "Zzz", "a": [[{"b": {"image": BAD}}]]},
}


@pytest.mark.parametrize("name", OBJECTS)
def test_a_refused_image_anywhere(gateway: LiveGateway, name: str) -> None:
    """Whatever kind names it, and wherever: denied, with what was found, what is needed and the fix."""
    said = message(asked(gateway, OBJECTS[name]))
    assert said.startswith(f"{BAD} is not cleared by policy azureml-2019-07: Python 3.7.1 found at ")
    assert "needs 3.5.x or 3.6.x" in said
    assert "conda install -y python=3.6" in said


@pytest.mark.parametrize("name", OBJECTS)
def test_a_cleared_image_anywhere(gateway: LiveGateway, name: str) -> None:
    """The same objects with an image that is cleared are allowed, and the audit log is told what was judged."""
    response = asked(gateway, json.loads(json.dumps(OBJECTS[name]).replace(BAD, GOOD)))
    assert (response["allowed"], response["warnings"], "status" in response) == (True, [], False)
    assert response["auditAnnotations"]["images"].startswith(f"{GOOD} cleared {LAB}/team/app@sha256:")


def test_one_of_several_is_refused(gateway: LiveGateway) -> None:
    """The reason names each that is, and none that is not."""
    names = [GOOD, BAD, f"{LAB}/team/app:both", f"{LAB}/team/none:v1", "nginx"]
    said = message(asked(gateway, pod({"containers": [{"image": name} for name in names]})))
    assert [name for name in names if f"{name} is" in said or f"{name}:latest is" in said] == names[1:]


def test_who_may_push_is_denied_too(gateway: LiveGateway) -> None:
    """Reviews are about the image."""
    assert not asked(gateway, container(BAD), "admin")["allowed"]


def test_an_object_without_images(gateway: LiveGateway) -> None:
    """There is nothing to deny; its status, and names of the user's own, name none."""
    free = {"image": "nginx"}
    spec = {"nodeSelector": free, "volumes": [{"rbd": {"image": "disk", "monitors": []}}]}
    thing = pod(spec) | {"metadata": {"labels": free, "annotations": free}, "status": {"containerStatuses": [free]}}
    assert asked(gateway, thing)["allowed"]


def test_who_may_not_pull_learns_nothing(gateway: LiveGateway) -> None:
    """The answer is the same for an image that is there, that is not, and that is refused."""
    said = {message(asked(gateway, container(f"{LAB}/team/{name}"), "outsider")) for name in ("app:good", "app:none")}
    assert said == {
        "principal outsider may not pull from team/app: ask with one that may (role AcrPull there)",
    }


def test_an_anonymous_caller_learns_nothing(gateway: LiveGateway) -> None:
    """401 whatever is sent, with the registry's challenge."""
    for body in (admission_review(container(GOOD)), admission_review(container(BAD)), {}):
        with gateway.registry.client() as client:
            answer = client.post("/policy/v1/admission", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, "UNAUTHORIZED")
        assert answer.headers["www-authenticate"].startswith('Bearer realm="')


def test_an_anonymous_puller_must_sign_in(tmp_path: Path) -> None:
    """Also where everybody may pull."""
    with live_gateway(tmp_path / "data", auth={"anonymous_pull": True}) as live, live.registry.client() as client:
        paths = ("/policy/v1/admission", "/policy/v1/imagereview")
        assert {client.post(path, json={}).status_code for path in paths} == {401}


@pytest.mark.parametrize(
    ("scheme", "address", "status"),
    [("http", "192.0.2.7", 403), ("https", "192.0.2.7", 200), ("http", "127.0.0.9", 200), ("http", "::1", 200)],
)
def test_plain_http_is_for_this_machine(gateway: LiveGateway, scheme: str, address: str, status: int) -> None:
    """A proxy that we believe says how a caller came: from elsewhere over TLS alone."""
    came = {"X-Forwarded-For": address, "X-Forwarded-Proto": scheme}
    with gateway.client("reader") as client:
        answer = client.post("/policy/v1/admission", json=admission_review(pod({})), headers=came)
    assert answer.status_code == status
    assert status == 200 or "--tls-cert" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("change", ["finalizers", "labels"])
def test_what_was_there_before_may_change(gateway: LiveGateway, change: str) -> None:
    """A Pod that runs a refused image can still be let go of."""
    before = container(BAD)
    after = before | {"metadata": {"name": "p", change: {}}}
    with gateway.client("reader") as client:
        assert admitted(client, after, "UPDATE", before)["allowed"]


def test_an_image_that_is_new_in_a_change(gateway: LiveGateway) -> None:
    """Is judged: a container's other image, and one that is added to debug it."""
    before = container(GOOD)
    debugged = pod(before["spec"] | {"ephemeralContainers": [{"name": "debug", "image": BAD}]})
    with gateway.client("reader") as client:
        assert not admitted(client, container(BAD), "UPDATE", before)["allowed"]
        assert message(admitted(client, debugged, "UPDATE", before)).startswith(BAD)


def test_a_deletion_is_never_denied(gateway: LiveGateway) -> None:
    """Nothing starts by it."""
    with gateway.client("reader") as client:
        assert admitted(client, None, "DELETE", container(BAD))["allowed"]


def test_a_connection_names_no_image(gateway: LiveGateway) -> None:
    """Such as `kubectl exec`."""
    with gateway.client("reader") as client:
        assert admitted(client, {"kind": "PodExecOptions", "command": ["sh"]}, "CONNECT")["allowed"]


@pytest.mark.parametrize("image", ["nginx", "docker.io/library/nginx:1.27", "other.example:5000/a@sha256:" + "0" * 64])
def test_another_registry_is_denied(gateway: LiveGateway, image: str) -> None:
    """Unless a setting says otherwise; the message says which hosts are ours."""
    said = message(asked(gateway, container(image)))
    assert f"is on another registry ({image.partition('/')[0] if '/' in image else 'docker.io'})" in said
    assert f"{LAB}, {gateway.host} is judged here" in said
    assert "kubernetes.other" in said


@pytest.mark.parametrize(("other", "warnings"), [("warn", 1), ("allow", 0)])
def test_another_registry_by_setting(tmp_path: Path, other: str, warnings: int) -> None:
    """Allowed, with a warning or without; what is ours is judged all the same, and nothing of theirs is pinned."""
    with live_gateway(tmp_path / "data", kubernetes={"other": other}) as live:
        live.push(tmp_path / "bad", "team/app:bad", refused_image())
        response = asked(live, container("nginx:1.27"), mutate="digest")
        assert (response["allowed"], len(response["warnings"]), "patch" in response) == (True, warnings, False)
        assert not asked(live, container(f"{live.host}/team/app:bad"))["allowed"]


def test_warnings_are_short(tmp_path: Path) -> None:
    """An image that is refused under a policy that only warns: at most 256 characters each, and nothing denied."""
    with live_gateway(tmp_path / "data", policy={"mode": "warn"}) as live:
        live.push(tmp_path / "bad", "team/app:bad", refused_image())
        response = asked(live, container(f"{live.host}/team/app:bad"))
    (warning,) = response["warnings"]
    assert response["allowed"]
    assert warning.startswith(f"{live.host}/team/app:bad is not cleared by policy azureml-2019-07: Python 3.7.1 found")
    assert len(warning) <= 256


@pytest.mark.parametrize("image", ["UPPER/app:v1", "a b", f"{LAB}/team/App:v1", f"{LAB}/a:v1@sha256:0", "https://x/y"])
def test_what_is_no_image_is_denied(gateway: LiveGateway, image: str) -> None:
    """With what is wrong with it."""
    assert " cannot be judged: " in message(asked(gateway, container(image)))


def test_too_many_images_are_denied(tmp_path: Path) -> None:
    """How many a review may name is a setting."""
    with live_gateway(tmp_path / "data", kubernetes={"images": 2}) as live:
        live.push(tmp_path / "good", "team/app:good", cleared_image())
        many = pod({"containers": [{"image": f"{live.host}/team/app:{n}"} for n in range(3)]})
        assert message(asked(live, many)).startswith("3 different images: a review may name 2 (kubernetes.images)")
        same = pod({"containers": [{"image": f"{live.host}/team/app:good"}] * 3})
        assert asked(live, same)["allowed"]


def test_the_uid_is_repeated(gateway: LiveGateway) -> None:
    """In an answer of exactly the members that Kubernetes knows."""
    response = asked(gateway, container(BAD))
    assert response.keys() == {"uid", "allowed", "status", "warnings", "auditAnnotations"}
    assert response["uid"] == UID
