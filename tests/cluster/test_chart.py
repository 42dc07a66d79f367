"""The Helm chart: what helm says of it, and what it renders, for every Kubernetes that is in use."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from policy.settings import Settings
from registry.config.sources import load
from tests.architecture.source import ROOT
from tests.policy.kubernetes.test_manifests import VERSIONS

CHART = ROOT / "config" / "cluster" / "chart"
LEAST = ("storage.url=s3://bucket/lab", "metadata.url=postgresql://basegate@db/basegate")
MOST = (
    *LEAST,
    "storage.endpoint=https://s3.example.org",
    "storage.credentialsSecret=store",
    "metadata.passwordSecret=database",
    "bootstrapSecret=principals",
    "tlsSecret=nodes",
    "trustedProxies={10.0.0.0/8}",
    "settings.BASEGATE_UPLOADS__LEASE_SECONDS=5",
    "ingress.enabled=true",
    "ingress.tlsSecret=outside",
    "volume.storageClass=fast",
    "serviceAccount.name=basegate",
    "nodeSelector.disk=fast",
    "podAnnotations.team=lab",
)
WAYS = pytest.mark.parametrize("values", [LEAST, MOST], ids=["least", "most"])

pytestmark = pytest.mark.client("helm")


def helm(*words: str, values: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """helm over the chart; numbers among the settings are texts, as they have to be."""
    given = [word for value in values for word in ("--set-string" if "settings." in value else "--set", value)]
    return subprocess.run(["helm", *words, str(CHART), *given], capture_output=True, text=True, check=False)


def rendered(values: Sequence[str], version: str = VERSIONS[-1]) -> list[dict[str, Any]]:
    """The manifests, for a version of Kubernetes, of a release whose name is what settings begin with."""
    done = helm("template", "--kube-version", version, "basegate", values=values)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def of_kind(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The first of a kind."""
    return next(document for document in documents if document["kind"] == kind)


@WAYS
def test_helm_finds_nothing(values: Sequence[str]) -> None:
    """Not a warning either."""
    done = helm("lint", "--strict", values=values)
    assert done.returncode == 0, done.stdout + done.stderr


@WAYS
@pytest.mark.parametrize("version", VERSIONS)
def test_what_it_renders_is_valid(values: Sequence[str], version: str) -> None:
    """With no member that a Kubernetes does not know."""
    documents = rendered(values, version)
    kinds = {"StatefulSet", "Service", "ConfigMap", "PodDisruptionBudget"} | ({"Ingress"} if values is MOST else set())
    assert {document["kind"] for document in documents} == kinds
    for document in documents:
        kubernetes_validate.validate(document, version, strict=True)


@WAYS
def test_variables_are_settings(values: Sequence[str]) -> None:
    """The server takes them, and no other that Kubernetes would add for a Service of its name."""
    documents = rendered(values)
    settings = load(Settings, None, {}, of_kind(documents, "ConfigMap")["data"])
    assert (settings.storage.url, settings.metadata.url) == ("s3://bucket/lab", "postgresql://basegate@db/basegate")
    assert of_kind(documents, "StatefulSet")["spec"]["template"]["spec"]["enableServiceLinks"] is False


@WAYS
def test_files_that_settings_name_are_mounted(values: Sequence[str]) -> None:
    """Below folders of volumes that there are."""
    documents = rendered(values)
    pod = of_kind(documents, "StatefulSet")["spec"]["template"]["spec"]
    mounts = {mount["mountPath"]: mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
    named = [value for value in of_kind(documents, "ConfigMap")["data"].values() if value.startswith("/run/")]
    assert {str(Path(name).parent) for name in named} <= mounts.keys()
    assert set(mounts.values()) <= {volume["name"] for volume in pod["volumes"]} | {"data"}


@pytest.mark.parametrize("left_out", LEAST)
def test_what_is_needed_is_said(left_out: str) -> None:
    """By name."""
    done = helm(
        "template", "--kube-version", VERSIONS[-1], "basegate", values=[value for value in LEAST if value != left_out]
    )
    assert (done.returncode, left_out.partition("=")[0] + " is needed" in done.stderr) == (1, True)
