"""Deployment configurations (`az ml model deploy --dc FILE`): where a model is to run. Pure: no file, no network.

Source: the schemas of azure-cli-ml and azureml-core, which agree on the members below.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from policy.gateway.inference_config.remarks import Remark, fail, unsure, warn

COMPUTE_TYPES = ("local", "aci", "aks", "iot", "mir")
TARGETED = frozenset({"aks"})
"""Compute types that need the name of a compute target."""
_IS_INFERENCE = ("entryScript", "baseImage", "environment", "condaFile", "runtime")
_TARGETS = ("computeTarget", "computeTargetName", "ComputeTarget")
_COMMON = ("computeType", *_TARGETS, "tags", "properties", "description")
_SERVED = ("containerResourceRequirements", "authEnabled", "appInsightsEnabled", "sslEnabled")
_CERTIFIED = ("sslCertificate", "sslKey", "cname", "dnsNameLabel", "sslCertPemFile", "sslKeyPemFile", "location")
_ENCRYPTED = ("vaultBaseUrl", "keyName", "keyVersion")
_SCALED = (
    *("autoScaler", "dataCollection", "tokenAuthEnabled", "scoringTimeoutMs", "maxConcurrentRequestsPerContainer"),
    *("maxQueueWaitMs", "numReplicas", "keys", "gpuCores", "livenessProbeRequirements", "namespace"),
)
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "local": ("port",),
    "aci": (
        *_SERVED,
        *_CERTIFIED,
        "primaryKey",
        "secondaryKey",
        "collectModelData",
        "vnetName",
        "subnetName",
        *_ENCRYPTED,
        "keys",
    ),
    "aks": (*_SERVED, *_SCALED, "collectModelData", "trafficPercentile", "isDefault", "versionType"),
    "iot": ("amlModule", "externalModules", "routes", "iotDeviceId", "acrCredentials"),
    "mir": (*_SERVED, *_SCALED, "sku"),
}
_Check = Callable[[Any], bool]


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_count(least: int, most: int = 1 << 31) -> _Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6


_WANTED: Mapping[str, tuple[_Check, str]] = {
    **dict.fromkeys(
        ("authEnabled", "tokenAuthEnabled", "sslEnabled", "appInsightsEnabled"), (_is_flag, "true or false")
    ),
    "port": (_is_count(1, 65_535), "a number from 1 to 65535"),
    "numReplicas": (_is_count(1), "a whole number from 1"),
    "gpuCores": (_is_count(0), "a whole number"),
    "scoringTimeoutMs": (_is_count(1), "a whole number of milliseconds"),
    "maxQueueWaitMs": (_is_count(0), "a whole number of milliseconds"),
    "maxConcurrentRequestsPerContainer": (_is_count(1), "a whole number from 1"),
    "containerResourceRequirements": (_is_object, "an object with cpu and memoryInGB"),
    "autoScaler": (_is_object, "an object"),
    "containerResourceRequirements.cpu": (_is_amount, "a number above 0"),
    "containerResourceRequirements.memoryInGB": (_is_amount, "a number above 0"),
    "autoScaler.autoscaleEnabled": (_is_flag, "true or false"),
    "autoScaler.minReplicas": (_is_count(1), "a whole number from 1"),
    "autoScaler.maxReplicas": (_is_count(1), "a whole number from 1"),
    "autoScaler.targetUtilization": (_is_count(1, 100), "a percentage"),
}


@dataclass(frozen=True, slots=True)
class DeploymentConfig:
    """What matters of a deployment configuration.

    Attributes:
        compute_type: one of COMPUTE_TYPES, or "" when it is none of them.
        compute_target: the target to deploy to; "" when there is none.
        remarks: what is wrong or questionable.
    """

    compute_type: str
    compute_target: str
    remarks: tuple[Remark, ...]


def read_deployment_config(document: Mapping[str, Any], target: str) -> DeploymentConfig:
    """Read a parsed configuration; never raises.

    Args:
        document: the file's document.
        target: what `--ct` names; "" when it was not given.
    """
    if "computeType" not in document and any(key in document for key in _IS_INFERENCE):
        problem = (
            "this is an inference configuration, which goes with --ic: a deployment configuration has a computeType"
        )
        return DeploymentConfig("", target, (unsure(problem),))
    given = document.get("computeType")
    compute = given.lower() if isinstance(given, str) and given.lower() in COMPUTE_TYPES else ""
    if not compute:
        given_text = "is not set" if given is None else f"is {given!r:.80}"
        return DeploymentConfig(
            "", target, (fail(f"computeType {given_text}: needs one of {', '.join(COMPUTE_TYPES)}"),)
        )
    chosen, on_target = _target(document, compute, target)
    remarks = (*on_target, *_values(document), *_together(document), *_unknown(document, compute))
    return DeploymentConfig(compute, chosen, remarks)


def _target(document: Mapping[str, Any], compute: str, target: str) -> tuple[str, tuple[Remark, ...]]:
    named = next((str(document[key]) for key in _TARGETS if document.get(key)), "")
    if compute not in TARGETED:
        ignored = target or named
        return "", (warn(f"compute target {ignored} is ignored: only aks has one"),) if ignored else ()
    if named and target and named != target:
        return target, (fail(f"the file names the compute target {named}, and --ct {target}: keep one"),)
    if not (target or named):
        return "", (fail(f"{compute} needs the name of a compute target: give --ct NAME"),)
    return target or named, ()


def _values(document: Mapping[str, Any]) -> tuple[Remark, ...]:
    remarks = []
    for place, (holds, needed) in _WANTED.items():
        value: Any = document
        for name in place.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None and not holds(value):
            remarks.append(fail(f"{place} is {value!r:.80}: needs {needed}"))
    return tuple(remarks)


def _together(document: Mapping[str, Any]) -> tuple[Remark, ...]:
    remarks = []
    if document.get("authEnabled") is True and document.get("tokenAuthEnabled") is True:
        remarks.append(fail("authEnabled and tokenAuthEnabled are both true: the service takes one of them"))
    scaler = document.get("autoScaler")
    least, most = (scaler.get(key) if isinstance(scaler, Mapping) else None for key in ("minReplicas", "maxReplicas"))
    if isinstance(least, int) and isinstance(most, int) and least > most:
        remarks.append(fail(f"autoScaler.minReplicas {least} is more than maxReplicas {most}"))
    return tuple(remarks)


def _unknown(document: Mapping[str, Any], compute: str) -> tuple[Remark, ...]:
    by_lower_case = {key.lower(): key for key in (*_COMMON, *_MEMBERS[compute])}
    everywhere = {key for keys in _MEMBERS.values() for key in keys}
    remarks = []
    for key in map(str, list(document)[:200]):
        meant = by_lower_case.get(key.lower())
        if meant is None:
            why = f"{compute} has no such member" if key in everywhere else "the service does not know it"
            remarks.append(warn(f"{key[:80]} is ignored: {why}"))
        elif meant != key and key not in _COMMON:
            remarks.append(warn(f"{key} is ignored by the service: it reads {meant}"))
    return tuple(remarks[:10])
