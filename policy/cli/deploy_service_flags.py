"""Flags of `az ml model deploy` that stand for members of the deployment configuration, and win over the file's.

Source: the reference of the extension azure-cli-ml; the members are those that azureml-core reads.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

_NUMBER, _AMOUNT, _TEXT, _FLAG = click.INT, click.FLOAT, click.STRING, click.BOOL
_FLAGS: tuple[tuple[tuple[str, ...], str, click.ParamType[Any]], ...] = (
    (("--compute-type", "--cp"), "computeType", _TEXT),
    (("--cpu-cores", "--cc"), "containerResourceRequirements.cpu", _AMOUNT),
    (("--cpu-cores-limit", "--ccl"), "containerResourceRequirements.cpuLimit", _AMOUNT),
    (("--memory-gb", "--gb"), "containerResourceRequirements.memoryInGB", _AMOUNT),
    (("--memory-gb-limit", "--gbl"), "containerResourceRequirements.memoryInGBLimit", _AMOUNT),
    (("--gpu-cores", "--gc"), "gpuCores", _NUMBER),
    (("--num-replicas", "--nr"), "numReplicas", _NUMBER),
    (("--autoscale-enabled", "--as"), "autoScaler.autoscaleEnabled", _FLAG),
    (("--autoscale-min-replicas", "--mi"), "autoScaler.minReplicas", _NUMBER),
    (("--autoscale-max-replicas", "--ma"), "autoScaler.maxReplicas", _NUMBER),
    (("--autoscale-refresh-seconds", "--ar"), "autoScaler.refreshPeriodInSeconds", _NUMBER),
    (("--autoscale-target-utilization", "--at"), "autoScaler.targetUtilization", _NUMBER),
    (("--auth-enabled", "--ae"), "authEnabled", _FLAG),
    (("--token-auth-enabled",), "tokenAuthEnabled", _FLAG),
    (("--primary-key", "--kp"), "keys.primaryKey", _TEXT),
    (("--secondary-key", "--ks"), "keys.secondaryKey", _TEXT),
    (("--enable-app-insights", "--ai"), "appInsightsEnabled", _FLAG),
    (("--collect-model-data", "--md"), "dataCollection.storageEnabled", _FLAG),
    (("--scoring-timeout-ms", "--tm"), "scoringTimeoutMs", _NUMBER),
    (("--replica-max-concurrent-requests", "--rm"), "maxConcurrentRequestsPerContainer", _NUMBER),
    (("--max-request-wait-time", "--mr"), "maxQueueWaitMs", _NUMBER),
    (("--initial-delay-seconds", "--id"), "livenessProbeRequirements.initialDelaySeconds", _NUMBER),
    (("--period-seconds", "--ps"), "livenessProbeRequirements.periodSeconds", _NUMBER),
    (("--timeout-seconds", "--ts"), "livenessProbeRequirements.timeoutSeconds", _NUMBER),
    (("--success-threshold", "--st"), "livenessProbeRequirements.successThreshold", _NUMBER),
    (("--failure-threshold", "--ft"), "livenessProbeRequirements.failureThreshold", _NUMBER),
    (("--namespace", "--nd"), "namespace", _TEXT),
    (("--port", "--po"), "port", _NUMBER),
    (("--location", "--lo"), "location", _TEXT),
    (("--dns-name-label", "--dn"), "dnsNameLabel", _TEXT),
    (("--ssl-enabled", "--se"), "sslEnabled", _FLAG),
    (("--ssl-cname", "--sc"), "cname", _TEXT),
    (("--ssl-cert-pem-file", "--sp"), "sslCertificate", _TEXT),
    (("--ssl-key-pem-file", "--sk"), "sslKey", _TEXT),
    (("--vnet-name",), "vnetName", _TEXT),
    (("--subnet-name",), "subnetName", _TEXT),
    (("--vault-base-url",), "vaultBaseUrl", _TEXT),
    (("--key-name",), "keyName", _TEXT),
    (("--key-version",), "keyVersion", _TEXT),
    (("--traffic-percentile", "--tp"), "trafficPercentile", _NUMBER),
    (("--version-type", "--vt"), "versionType", _TEXT),
    (("--description",), "description", _TEXT),
)
_PAIRS = (("--tag", "tags"), ("--property", "properties"))
_IGNORED: tuple[tuple[tuple[str, ...], str, Mapping[str, Any]], ...] = (
    (("--subscription-id",), "subscription_id", {}),
    (("--path",), "project", {}),
    (("--model-metadata-file", "-f"), "metadata", {}),
    (("--no-wait",), "no_wait", {"is_flag": True}),
    (("-v", "--verbose"), "verbose", {"is_flag": True}),
)
_REFUSED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("--environment-name", "-e"), "environment_name"),
    (("--environment-version", "--ev"), "environment_version"),
    (("--environment-directory", "--ed"), "environment_directory"),
)
_NO_ENVIRONMENTS = (
    "environments of a workspace are not kept here: write the environment into the file of --ic (member environment)"
)


def _parameter(member: str) -> str:
    return f"dc_{member.replace('.', '_').lower()}"


SERVICE_PARAMETERS = (
    *(_parameter(member) for _, member, _ in _FLAGS),
    *(_parameter(member) for _, member in _PAIRS),
    *(name for _, name, _ in _IGNORED),
    *(name for _, name in _REFUSED),
)
"""The names of the parameters that `service_options` adds."""


def service_options(command: Callable[..., None]) -> Callable[..., None]:
    """The flags. One that says true or false may stand without a value, which says true."""
    for refused, name in _REFUSED:
        command = click.option(*refused, name, default=None, hidden=True, callback=_refuse)(command)
    for names, name, more in _IGNORED:
        command = click.option(*names, name, hidden=True, **more)(command)
    for flag, member in _PAIRS:
        words = f"KEY=VALUE in {member}; may be repeated."
        command = click.option(flag, _parameter(member), multiple=True, help=words)(command)
    for names, member, kind in reversed(_FLAGS):
        alone: dict[str, Any] = {"is_flag": False, "flag_value": "true"} if kind is _FLAG else {}
        words = f"Wins over {member} of --dc."
        command = click.option(*names, _parameter(member), type=kind, default=None, help=words, **alone)(command)
    return command


def with_service_flags(document: Mapping[str, Any], flags: Mapping[str, Any]) -> Mapping[str, Any]:
    """The deployment configuration with what the flags say, which are those of `SERVICE_PARAMETERS`."""
    made = dict(document)
    given = {member: flags[_parameter(member)] for _, member, _ in _FLAGS}
    given |= {member: _pairs(flags[_parameter(member)], flag) for flag, member in _PAIRS}
    for member, value in given.items():
        if value is None or value == {}:
            continue
        outer, dot, inner = member.partition(".")
        if not dot:
            made[outer] = value
            continue
        before = made.get(outer)
        made[outer] = {**(before if isinstance(before, Mapping) else {}), inner: value}
    return made


def _pairs(texts: Iterable[str], flag: str) -> Mapping[str, str]:
    pairs = [text.partition("=") for text in texts]
    wrong = next((key for key, sign, _ in pairs if not key or not sign), None)
    if wrong is not None:
        raise click.BadParameter(f"{wrong[:80]!r} has no value: needs KEY=VALUE", param_hint=flag)
    return {key: value for key, _, value in pairs}


def _refuse(_context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        raise click.BadParameter(_NO_ENVIRONMENTS, param_hint=" / ".join(parameter.opts))
