"""A whole kube-apiserver with etcd in it asks by the webhooks of config/kubernetes-admission.yaml."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.kubernetes.lab import NAME, Lab
from tests.policy.kubernetes.reviews import container, pod
from tests.ports import free_port

GOOD, BAD = f"{NAME}/team/app:good", f"{NAME}/team/app:bad"
TOKEN = "lab"
PODS = "/api/v1/namespaces/default/pods"
START_SECONDS = 120


@pytest.fixture(scope="module")
def cluster(programs: Path, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a cluster that has the Service and the webhooks."""
    folder = tmp_path_factory.mktemp("cluster")
    with serving(programs, lab.control, folder) as client:
        created(client, "/api/v1/namespaces", {"metadata": {"name": "basegate"}})
        created(client, PODS, named("before", container(BAD)))
        for document in yaml.safe_load_all(lab.manifests.read_text(encoding="utf-8")):
            if document["kind"] == "Service":  # without a network of Pods: it leads to this machine
                document["spec"] = {"type": "ExternalName", "externalName": "localhost"}
                created(client, "/api/v1/namespaces/basegate/services", document)
            else:
                kind = f"{document['kind'].lower()}s"
                created(client, f"/apis/admissionregistration.k8s.io/v1/{kind}", document)
        until(client, lambda status: status == 403, BAD, "the webhooks are not in force")
        yield client


@contextmanager
def serving(programs: Path, control: Path, folder: Path) -> Iterator[httpx.Client]:
    """Start it, wait until it is ready, and end it."""
    port, key = free_port(), folder / "key.pem"
    raw = generate_private_key(65_537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key.write_bytes(raw)
    (folder / "tokens.csv").write_text(f'{TOKEN},lab,lab,"system:masters"\n')
    flags = {
        "bind-address": "127.0.0.1",
        "secure-port": port,
        "cert-dir": folder / "certificates",
        "token-auth-file": folder / "tokens.csv",
        "authorization-mode": "AlwaysAllow",
        "service-cluster-ip-range": "10.0.0.0/24",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-signing-key-file": key,
        "service-account-key-file": key,
        "disable-admission-plugins": "ServiceAccount",
        "admission-control-config-file": control,
    }
    command = [
        str(programs / "apiserver"),
        str(folder / "etcd"),
        *(f"--{name}={value}" for name, value in flags.items()),
    ]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        base = f"https://127.0.0.1:{port}"
        try:
            with httpx.Client(base_url=base, headers=headers, verify=False, timeout=30, trust_env=False) as client:  # noqa: S501 - its own certificate
                until_ready(client, process, folder / "log")
                yield client
        finally:
            os.kill(process.pid, signal.SIGTERM)


def until_ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for its first namespace."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if client.get("/api/v1/namespaces/default").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail(f"kube-apiserver is not ready: {log.read_text()[-2000:]}")


def until(client: httpx.Client, holds: Callable[[int], bool], image: str, otherwise: str) -> None:
    """Wait until the API server has read its webhooks, which it does a moment after they are created."""
    end = time.monotonic() + START_SECONDS
    while not holds(client.post(PODS, params={"dryRun": "All"}, json=named("waiting", container(image))).status_code):
        assert time.monotonic() < end, otherwise
        time.sleep(0.1)


def created(client: httpx.Client, path: str, document: dict[str, Any]) -> dict[str, Any]:
    """What is stored when an object is created."""
    answer = client.post(path, json=document)
    assert answer.status_code == 201, answer.text
    stored: dict[str, Any] = answer.json()
    return stored


def named(name: str, document: dict[str, Any]) -> dict[str, Any]:
    """An object of the default namespace under another name."""
    return document | {"metadata": {"name": name, "namespace": "default"}}


def denied(answer: httpx.Response) -> str:
    """Why."""
    assert answer.status_code == 403, answer.text
    return str(answer.json()["message"])


def deployment(image: str) -> dict[str, Any]:
    """A Deployment."""
    template = {"metadata": {"labels": {"app": "a"}}, "spec": container(image)["spec"]}
    return {"spec": {"selector": {"matchLabels": {"app": "a"}}, "template": template}}


def test_a_refused_image(cluster: httpx.Client) -> None:
    """Is forbidden with our message."""
    said = denied(cluster.post(PODS, json=named("bad", container(BAD))))
    assert "basegate.example" in said
    assert f"denied the request: {BAD} is not cleared by policy azureml-2019-07: Python 3.7.1 found at" in said


def test_a_cleared_image_is_stored_by_its_digest(cluster: httpx.Client) -> None:
    """The mutating webhook pins what the validating one allows."""
    stored = created(cluster, PODS, named("good", container(GOOD)))
    assert stored["spec"]["containers"][0]["image"].startswith(f"{NAME}/team/app@sha256:")


def test_an_image_volume(cluster: httpx.Client) -> None:
    """Is seen, unlike by ImagePolicyWebhook."""
    volume = {"name": "v", "image": {"reference": BAD}}
    spec = {"containers": [{"name": "c", "image": GOOD}], "volumes": [volume]}
    assert BAD in denied(cluster.post(PODS, json=named("volume", pod(spec))))


def test_an_image_that_a_csi_driver_mounts(cluster: httpx.Client) -> None:
    """Is seen within a Pod, and as a persistent volume; a disk is none of our business."""
    source = {"driver": "csi-image.warm-metal.tech", "volumeAttributes": {"image": BAD}}
    spec = {"containers": [{"name": "c", "image": GOOD}], "volumes": [{"name": "v", "csi": source}]}
    assert BAD in denied(cluster.post(PODS, json=named("csi", pod(spec))))
    path, handle = "/api/v1/persistentvolumes", {"driver": "csi-image.warm-metal.tech", "volumeHandle": BAD}
    assert BAD in denied(cluster.post(path, json=named("image", volume_of(handle))))
    created(cluster, path, named("disk", volume_of({"driver": "disk.example", "volumeHandle": BAD})))


def volume_of(source: dict[str, Any]) -> dict[str, Any]:
    """A persistent volume."""
    return {"spec": {"accessModes": ["ReadOnlyMany"], "capacity": {"storage": "1Gi"}, "csi": source}}


def test_an_ephemeral_container(cluster: httpx.Client) -> None:
    """Is seen when it is added to a Pod that runs."""
    created(cluster, PODS, named("debugged", container(GOOD)))
    added = {"spec": {"ephemeralContainers": [{"name": "e", "image": BAD}]}}
    path, kind = f"{PODS}/debugged/ephemeralcontainers", "application/strategic-merge-patch+json"
    assert BAD in denied(cluster.patch(path, json=added, headers={"Content-Type": kind}))


def test_a_deployment(cluster: httpx.Client) -> None:
    """Is refused to whoever writes it, not to the controller that makes its Pods."""
    path = "/apis/apps/v1/namespaces/default/deployments"
    assert BAD in denied(cluster.post(path, json=named("bad", deployment(BAD))))
    stored = created(cluster, path, named("good", deployment(GOOD)))
    assert "@sha256:" in stored["spec"]["template"]["spec"]["containers"][0]["image"]


def test_another_registry(cluster: httpx.Client) -> None:
    """Is forbidden."""
    assert "is on another registry (docker.io)" in denied(cluster.post(PODS, json=named("other", container("nginx"))))


def test_its_own_namespace(cluster: httpx.Client) -> None:
    """Is not asked about."""
    created(cluster, "/api/v1/namespaces/basegate/pods", container("basegate:0.1.0") | {"metadata": {"name": "own"}})


def test_a_pod_from_before(cluster: httpx.Client) -> None:
    """Whose image is not cleared can be labelled and deleted, and gets no other image that is not."""
    path, kind = f"{PODS}/before", "application/merge-patch+json"
    labels = {"metadata": {"labels": {"a": "b"}}}
    assert cluster.patch(path, json=labels, headers={"Content-Type": kind}).status_code == 200
    other = {"spec": {"containers": [{"name": "c", "image": f"{BAD}-too"}]}}
    assert f"{BAD}-too" in denied(cluster.patch(path, json=other, headers={"Content-Type": kind}))
    assert cluster.delete(path).status_code == 200


def test_it_fails_closed(cluster: httpx.Client, lab: Lab) -> None:
    """While nobody answers, nothing is created."""
    webhooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    away: dict[str, Any] = list(yaml.safe_load_all(lab.manifests.read_text(encoding="utf-8")))[1]
    away["metadata"]["name"] = "away"
    away["webhooks"][0]["clientConfig"]["service"]["port"] = 1
    created(cluster, webhooks, away)
    until(cluster, lambda status: status != 201, GOOD, "the webhook that is away is not in force")
    answer = cluster.post(PODS, json=named("away", container(GOOD)))
    assert cluster.delete(f"{webhooks}/away").status_code == 200
    assert (answer.status_code, "failed calling webhook" in answer.text) == (500, True)
