"""Interprets inference configurations: the files that name the image of a deployment.

Forms read: the plain form of the ML command line (`baseImage`, `baseImageRegistry`), the `environment` form as
azureml-core serialises it (`environment.docker.baseImage`, …), a bare serialised environment, and the `image:` of
version 2 environments. No I/O. See docs/inference-configurations.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from typing import Any

from policy.gateway.inference_config import image as image_rules
from policy.gateway.inference_config.members import (
    PLAIN_KEYS,
    dotted,
    known_members,
    misspelt,
    misspelt_in_environment,
)
from policy.gateway.inference_config.other_kinds import images_elsewhere, kind_of
from policy.gateway.inference_config.places import builds_in, contradictions, named_in
from policy.gateway.inference_config.registry_login import RegistryLogin, read_environment_registry, read_plain_registry
from policy.gateway.inference_config.remarks import Remark, fail, unset, unsure, warn
from policy.gateway.inference_config.started import remarks_on_python
from registry.oci.platforms import Platform

EXCLUDED_BY_ENVIRONMENT = (
    "runtime",
    "condaFile",
    "extraDockerfileSteps",
    "enableGpu",
    "cudaVersion",
    "baseImage",
    "baseImageRegistry",
)
_TOLD = 10
CUDA_VERSIONS = ("9.0", "9.1", "10.0")


class Form(StrEnum):
    """The form of a configuration."""

    PLAIN = "plain"
    ENVIRONMENT = "environment"
    VERSION_2 = "version-2"


@dataclass(frozen=True, slots=True)
class InferenceConfig:
    """The parts of a configuration that a check needs.

    Attributes:
        form: its form.
        image: the image reference as written; "" when the configuration names none.
        login: address and credentials of the image's registry; `None` when it names none.
        remarks: faults and warnings, in reading order.
        platform: required by `docker.platform`; `None` when it is absent.
        user_managed: `python.userManagedDependencies`; `None` in a form without it.
    """

    form: Form
    image: str = ""
    login: RegistryLogin | None = None
    remarks: tuple[Remark, ...] = field(default_factory=tuple)
    platform: Platform | None = None
    user_managed: bool | None = None


def interpret(document: Mapping[str, Any]) -> InferenceConfig:
    """Interpret a parsed configuration of any form; never raises, whatever its values."""
    environment = document.get("environment")
    if environment is not None:
        config = _environment_member(document, environment)
    elif isinstance(document.get("docker"), Mapping) and "baseImage" not in document:
        config = _environment(document, *_misspelt_in(document))
    elif "baseImage" not in document and ("image" in document or "build" in document):
        config = _version_2(document)
    else:
        config = _plain(document)
    registry = config.login.host if config.login else ""
    known = known_members(document)
    remarks = config.remarks if config.image else _instead(document, known, config.remarks)
    told = (
        *contradictions(known),
        *islice(remarks_on_python(known), _TOLD),
        *image_rules.remarks(config.image, registry),
    )
    return replace(config, remarks=(*remarks, *told))


def or_default(config: InferenceConfig, image: str) -> InferenceConfig:
    """The configuration, with the service's default image if it names none; `image` "" changes nothing."""
    if not image or not any(remark.unset for remark in config.remarks):
        return config
    default = warn(f"no image is named: the service's default {image} is judged (setting gateway.default_image)")
    remarks = tuple(default if remark.unset else remark for remark in config.remarks)
    return replace(config, image=image, remarks=remarks)


def _instead(document: Mapping[str, Any], known: Mapping[str, Any], remarks: tuple[Remark, ...]) -> tuple[Remark, ...]:
    """Remarks on a document without an image: what it is instead, or where it names one that is not read."""
    kind = kind_of(document)
    needed = "an inference configuration names its image in baseImage, environment.docker.baseImage or image"
    places = [f"{place} names {image[:200]}" for place, image in images_elsewhere(document)]
    if kind:
        return (unsure(f"this is {'; '.join([kind, *places])}: {needed}"),)
    if any(each.unset for each in remarks):
        unread = [f"{dotted(path)} names {image[:200]}" for path, image in named_in(known)]
        later = [f"{build} builds one later" for build in builds_in(known)]
        places = [*dict.fromkeys([*unread[:_TOLD], *places]), *later[:_TOLD]]
    if places:
        return (*(each for each in remarks if not each.unset), unsure(f"{'; '.join(places)}: {needed}"))
    return remarks


def _plain(document: Mapping[str, Any]) -> InferenceConfig:
    image, on_image = image_rules.read(document.get("baseImage"), "baseImage")
    login, on_registry = read_plain_registry(document.get("baseImageRegistry"))
    asked = (*_entry_script(document), *_cuda(document))
    remarks = (
        *islice(misspelt(document, PLAIN_KEYS), _TOLD),
        *asked,
        *on_image,
        *_runtime(document, image),
        *on_registry,
    )
    if not image and not on_image:
        remarks = (*remarks, unset("baseImage is not set"))
    return InferenceConfig(Form.PLAIN, image, login, remarks)


def _environment_member(document: Mapping[str, Any], environment: Any) -> InferenceConfig:
    clashing = [key for key in EXCLUDED_BY_ENVIRONMENT if document.get(key) not in (None, False, "")]
    remarks = [*islice(misspelt(document, PLAIN_KEYS), _TOLD), *_misspelt_in(environment, ("environment",))]
    if clashing:
        remarks.append(fail(f"environment stands beside {', '.join(clashing)}: keep one of the two"))
    if not isinstance(environment, Mapping):
        shown = environment if isinstance(environment, str) else type(environment).__name__
        remarks.append(unsure(f"environment is {shown!r}, and not written out: its image cannot be known here"))
        return InferenceConfig(Form.ENVIRONMENT, remarks=tuple(remarks))
    config = _environment(environment) if "image" not in environment else _version_2(environment)
    return replace(config, remarks=(*remarks, *_entry_script_of(document, config.form), *config.remarks))


def _environment(environment: Mapping[str, Any], *before: Remark) -> InferenceConfig:
    docker = environment.get("docker")
    if not isinstance(docker, Mapping):
        if environment.get("build"):
            return _version_2(environment)
        return InferenceConfig(Form.ENVIRONMENT, remarks=(unset("environment.docker is missing"),))
    image, on_image = image_rules.read(docker.get("baseImage"), "environment.docker.baseImage")
    login, on_registry = read_environment_registry(docker.get("baseImageRegistry"))
    built = [key for key in ("baseDockerfile", "buildContext") if docker.get(key) not in (None, "")]
    remarks = (*before, *on_image, *on_registry)
    if built and not image:
        built_later = f"the image is built later from environment.docker.{built[0]}"
        remarks = (*remarks, unsure(f"{built_later}: build it, push it, and name it in baseImage"))
    elif not image and not on_image:
        remarks = (*remarks, unset("environment.docker.baseImage is not set"))
    user_managed = _user_managed(environment.get("python"))
    return InferenceConfig(Form.ENVIRONMENT, image, login, remarks, _platform(docker.get("platform")), user_managed)


def _misspelt_in(environment: Any, above: tuple[str, ...] = ()) -> Iterator[Remark]:
    return islice(misspelt_in_environment(environment, above), _TOLD)


def _user_managed(python: Any) -> bool:
    return isinstance(python, Mapping) and python.get("userManagedDependencies") is True


def _platform(value: Any) -> Platform | None:
    """`{"os": "Linux", "architecture": "amd64"}`; other members are left to the service."""
    words = [value.get(name) if isinstance(value, Mapping) else None for name in ("os", "architecture")]
    system, architecture = (word[:64] if isinstance(word, str) else "" for word in words)
    return Platform(system, architecture) if architecture else None


def _version_2(environment: Mapping[str, Any]) -> InferenceConfig:
    image, remarks = image_rules.read(environment.get("image"), "image")
    if not image and not remarks:
        remarks = (unsure("the image is built later from build: build it, push it, and name it in image"),)
    return InferenceConfig(Form.VERSION_2, image, None, remarks)


def _runtime(document: Mapping[str, Any], image: str) -> tuple[Remark, ...]:
    runtime = document.get("runtime")
    if not image or (isinstance(runtime, str) and runtime.lower() == "python"):
        return ()
    if runtime is None:
        return (warn('runtime is not set: a base image needs "runtime": "python"'),)
    return (fail(f"runtime is {runtime!r}: a custom base image is supported for python only"),)


def _entry_script(document: Mapping[str, Any]) -> tuple[Remark, ...]:
    script = document.get("entryScript")
    if isinstance(script, str) and script.endswith(".py"):
        return ()
    given = "is not set" if script in (None, "") else f"is {script!r:.80}"
    return (fail(f"entryScript {given}: the service refuses a configuration without the name of a .py file"),)


def _cuda(document: Mapping[str, Any]) -> tuple[Remark, ...]:
    version = document.get("cudaVersion")
    if version in (None, "") or str(version) in CUDA_VERSIONS:
        return ()
    return (fail(f"cudaVersion is {version!r:.80}: the service knows {', '.join(CUDA_VERSIONS)}"),)


def _entry_script_of(document: Mapping[str, Any], form: Form) -> tuple[Remark, ...]:
    return _entry_script(document) if form is Form.ENVIRONMENT else ()
