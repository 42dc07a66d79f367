"""The body of a deployment's check: what `az ml model deploy` is given, read strictly; no I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from policy.gateway.deployments.deployment_config import DeploymentConfig, read_deployment_config
from policy.gateway.image_source import Kind
from policy.gateway.inference_config.interpret import InferenceConfig, interpret, or_default
from policy.gateway.inference_config.parse import InferenceConfigUnreadable, parse
from policy.gateway.inference_config.remarks import Remark, fail, warn
from policy.gateway.settings import GatewaySettings
from registry.oci.errors import BadRequest
from registry.oci.shapes import Shape
from registry.oci.strict_json import MembersUnclear, refuse_misspelt

MEMBERS = (
    *("name", "models", "inferenceConfig", "deploymentConfig", "computeTarget", "workspace", "profile", "registry"),
    *("overwrite", "record"),
)
MOST_MODELS = 50
_BODY = Shape(MEMBERS)
_NEEDED = 'needs {"name", "models", "inferenceConfig", "deploymentConfig"}, see docs/deployments.md'
_NAME = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}(:[0-9]{1,10})?")


class Profile(StrEnum):
    """Whose rules count for images of standalone registries."""

    CLI = "cli"  # the machine learning command line: it cannot use them
    SDK = "sdk"  # the SDK: with the registry's address, a user name and a password


@dataclass(frozen=True, slots=True)
class DeploymentRequest:
    """What is asked.

    Attributes:
        name: of the service.
        models: `name[:version]` each.
        document: the inference configuration as it was sent.
        config: what was read in it.
        deployment: the same of the deployment configuration.
        workspace: its name; "" for the default one.
        profile: see there.
        registry: `workspace`, or `standalone` when this registry is one to the deployment.
        overwrite: whether a deployment of the same service may be released for this one.
        record: whether it is to be recorded when it is allowed.
        remarks: what is wrong with the name and the models.
    """

    name: str
    models: tuple[str, ...]
    document: Mapping[str, Any]
    config: InferenceConfig
    deployment: DeploymentConfig
    workspace: str
    profile: Profile
    registry: Kind
    overwrite: bool
    record: bool
    remarks: tuple[Remark, ...]


def read_deployment(raw: bytes, settings: GatewaySettings) -> DeploymentRequest:
    """Read a request's body.

    Raises:
        BadRequest: not JSON or YAML, members missing or of another type or in another case, or a configuration that
            cannot be read.
    """
    try:
        document = parse(raw.decode("utf-8"), settings.yaml_bytes)
        refuse_misspelt(document, _BODY)
        return _request(document, settings)
    except UnicodeDecodeError:
        raise BadRequest(f"the body is not UTF-8 text: {_NEEDED}") from None
    except (InferenceConfigUnreadable, MembersUnclear) as error:
        raise BadRequest(f"the body cannot be read: {error}; {_NEEDED}") from None


def _request(document: Mapping[str, Any], settings: GatewaySettings) -> DeploymentRequest:
    unknown = [str(key)[:40] for key in document if key not in MEMBERS]
    if unknown:
        raise BadRequest(f"there is no member {unknown[0]}: {_NEEDED}")
    sent = _config(document, "inferenceConfig", settings.yaml_bytes)
    name, models = _text(document, "name"), _models(document.get("models"))
    target = _text(document, "computeTarget", "")
    return DeploymentRequest(
        name=name,
        models=models,
        document=sent,
        config=or_default(interpret(sent), settings.default_image),
        deployment=read_deployment_config(_config(document, "deploymentConfig", settings.yaml_bytes), target),
        workspace=_text(document, "workspace", ""),
        profile=Profile(_word(document, "profile", [each.value for each in Profile])),
        registry=Kind(_word(document, "registry", [Kind.WORKSPACE.value, Kind.STANDALONE.value])),
        overwrite=_flag(document, "overwrite", default=False),
        record=_flag(document, "record", default=True),
        remarks=(*_on_name(name), *_on_models(models)),
    )


def _config(document: Mapping[str, Any], member: str, yaml_bytes: int) -> Mapping[str, Any]:
    sent = document.get(member)
    if isinstance(sent, Mapping):
        return sent
    if not isinstance(sent, str):
        raise BadRequest(f"{member} is {_kind(sent)}: needs an object, or the text of a file")
    try:
        return parse(sent, yaml_bytes)
    except InferenceConfigUnreadable as error:
        raise BadRequest(f"{member} cannot be read: {error}") from None


def _text(document: Mapping[str, Any], member: str, default: str | None = None) -> str:
    value = document.get(member)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{member} is {_kind(value)}: needs a text; the body {_NEEDED}")
    return value


def _word(document: Mapping[str, Any], member: str, words: list[str]) -> str:
    value = document.get(member, words[0])
    if value not in words:
        raise BadRequest(f"{member} is {str(value)[:80]!r}: needs {' or '.join(words)}")
    return str(value)


def _flag(document: Mapping[str, Any], member: str, *, default: bool) -> bool:
    value = document.get(member, default)
    if not isinstance(value, bool):
        raise BadRequest(f"{member} is {_kind(value)}: needs true or false")
    return value


def _models(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise BadRequest(f'models is {_kind(value)}: needs a list of names, such as ["mymodel:1"]')
    if len(value) > MOST_MODELS:
        raise BadRequest(f"models has {len(value)} entries: {MOST_MODELS} may be deployed together")
    return tuple(value)


def _kind(value: Any) -> str:
    return "not set" if value is None else "empty" if value in ("", []) else type(value).__name__


def _on_name(name: str) -> tuple[Remark, ...]:
    if _NAME.fullmatch(name):
        return ()
    needed = "3 to 32 lower-case letters, digits and dashes, a letter first and no dash last"
    return (fail(f"{name[:80]!r} is no name of a service: needs {needed}"),)


def _on_models(models: tuple[str, ...]) -> tuple[Remark, ...]:
    wrong = [
        fail(f"{each[:80]!r} is no model: needs NAME or NAME:VERSION") for each in models if not _MODEL.fullmatch(each)
    ]
    open_ones = [each for each in models if ":" not in each]
    return (*wrong, *(warn(f"model {each[:80]} has no version: the latest is meant") for each in open_ones))
