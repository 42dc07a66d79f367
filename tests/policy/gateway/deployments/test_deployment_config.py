"""Deployment configurations: what each compute type knows, and what the service would refuse."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.gateway.deployments.deployment_config import read_deployment_config
from policy.gateway.inference_config.remarks import Weight

AKS: dict[str, Any] = {
    "computeType": "aks",
    "autoScaler": {"autoscaleEnabled": True, "minReplicas": 1, "maxReplicas": 3, "targetUtilization": 70},
    "dataCollection": {"storageEnabled": True},
    "authEnabled": True,
    "containerResourceRequirements": {"cpu": 0.5, "memoryInGB": 1.0},
    "scoringTimeoutMs": 60000,
    "maxConcurrentRequestsPerContainer": 1,
    "livenessProbeRequirements": {"periodSeconds": 10},
    "namespace": "default",
}


def remarks(document: dict[str, Any], weight: Weight, target: str = "cluster") -> list[str]:
    """The messages of one weight."""
    return [each.message for each in read_deployment_config(document, target).remarks if each.weight is weight]


@pytest.mark.parametrize(
    ("document", "target"),
    [
        (AKS, "cluster"),
        ({"computeType": "local", "port": 6789}, ""),
        ({"computeType": "ACI", "containerResourceRequirements": {"cpu": 1, "memoryInGB": 2}, "dnsNameLabel": "x"}, ""),
        ({"computeType": "iot", "iotDeviceId": "d", "routes": {}}, ""),
        ({"computeType": "aks", "ComputeTarget": "cluster"}, "cluster"),
    ],
)
def test_sound_ones(document: dict[str, Any], target: str) -> None:
    """Nothing to remark."""
    found = read_deployment_config(document, target)
    assert (found.remarks, found.compute_target) == ((), target)


def test_a_target_may_stand_in_the_file() -> None:
    """Then `--ct` is not needed; two that differ are refused."""
    document = {"computeType": "aks", "ComputeTarget": "akscomputetarget"}
    assert read_deployment_config(document, "").compute_target == "akscomputetarget"
    assert any("keep one" in text for text in remarks(document, Weight.FAIL))


def test_only_aks_has_a_target() -> None:
    """For others it is ignored, as the service ignores it."""
    assert any("is ignored" in text for text in remarks({"computeType": "aci"}, Weight.WARN))


@pytest.mark.parametrize(
    "changes",
    [
        {"numReplicas": 0},
        {"numReplicas": "three"},
        {"numReplicas": True},
        {"authEnabled": "yes"},
        {"authEnabled": True, "tokenAuthEnabled": True},
        {"containerResourceRequirements": []},
        {"containerResourceRequirements": {"cpu": "1"}},
        {"containerResourceRequirements": {"memoryInGB": -1}},
        {"autoScaler": {"minReplicas": 4, "maxReplicas": 3}},
        {"autoScaler": {"targetUtilization": 170}},
    ],
)
def test_values_that_are_refused(changes: dict[str, Any]) -> None:
    """Of another type, out of range, or against each other."""
    assert remarks(AKS | changes, Weight.FAIL)


@pytest.mark.parametrize(
    ("key", "told"), [("port", "aks has no such member"), ("numreplicas", "it reads numReplicas"), ("x", "not know it")]
)
def test_members_that_are_ignored(key: str, told: str) -> None:
    """Of another compute type, in another case, or nobody's."""
    assert any(told in text for text in remarks(AKS | {key: 1}, Weight.WARN))


def test_an_inference_configuration_by_mistake() -> None:
    """Is named."""
    assert any("goes with --ic" in text for text in remarks({"entryScript": "score.py"}, Weight.ERROR))


@given(st.dictionaries(st.sampled_from([*AKS, "numReplicas", "port"]) | st.text(), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)))  # fmt: skip
def test_whatever_it_holds(document: dict[str, Any]) -> None:
    """It is read."""
    read_deployment_config(document, "")
