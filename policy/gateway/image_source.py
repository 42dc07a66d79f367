"""Where an image that is named for a deployment is: in this registry, a public one with a copy here, or elsewhere."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from policy.gateway.check_result import REFERENCE_RULE, CheckResult
from policy.gateway.hosts import is_ours
from policy.gateway.inference_config.remarks import Weight
from policy.gateway.settings import GatewaySettings
from registry.oci.errors import NameInvalid
from registry.oci.image_reference import DEFAULT_TAG, ImageReference, is_loopback
from registry.oci.names import RepositoryName
from registry.oci.patterns import any_covers

PUBLIC_IMAGES = (
    "mcr.microsoft.com/azureml/o16n-sample-user-base/ubuntu-miniconda",
    "mcr.microsoft.com/azureml/onnxruntime:v0.4.0",
    "mcr.microsoft.com/azureml/onnxruntime:v0.4.0-cuda10.0-cudnn7",
    "mcr.microsoft.com/azureml/onnxruntime:v0.4.0-tensorrt19.03",
)
"""Those that Microsoft offers for use as base images (the page of July 2019); they need no credentials."""
_DERIVED = re.compile(r"azureml/azureml_[0-9a-f]{4,}")
_MICROSOFT = "mcr.microsoft.com"


class Kind(StrEnum):
    """What the registry of an image is to a deployment."""

    WORKSPACE = "workspace"  # the registry that is asked: the service signs in by itself
    PUBLIC = "public"  # nobody has to sign in; judged by the copy in this registry
    STANDALONE = "standalone"  # somebody else's: its address, a user and a password are needed


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Where an image is looked for.

    Attributes:
        kind: see there.
        image: what is looked for in this registry; of a standalone one the image as it was named.
    """

    kind: Kind
    image: ImageReference


def source_of(image: ImageReference, here: str, settings: GatewaySettings) -> ImageSource:
    """Where an image is.

    Args:
        image: as it is named; without a host it is Docker Hub's, unless it looks like one that a training run built.
        here: the name under which this registry was asked, `HOST[:PORT]`.
        settings: names of this registry, and patterns of public images.
    """
    if is_derived(image) or (image.host and is_ours(image.host, here, settings.hosts)):
        return ImageSource(Kind.WORKSPACE, image if image.host else image.at(here))
    local = _copy_of(image)
    if local is not None and is_public(image, (*PUBLIC_IMAGES, *settings.public_images)):
        return ImageSource(Kind.PUBLIC, ImageReference(here, local, image.tag, image.digest))
    return ImageSource(Kind.STANDALONE, image)


def is_derived(image: ImageReference) -> bool:
    """Whether it looks like a value of `AzureML.DerivedImageName`: a path in the registry of the workspace."""
    return not image.host and _DERIVED.fullmatch(image.repository) is not None


def is_public(image: ImageReference, patterns: Collection[str]) -> bool:
    """Whether a pattern covers `host/repository`, with which every tag is meant, or `host/repository:tag`."""
    name = f"{image.host or 'docker.io'}/{image.repository}"
    return any_covers(patterns, name) or any_covers(patterns, f"{name}:{image.tag or DEFAULT_TAG}")


def how_to_copy(image: ImageReference, source: ImageSource) -> str:
    """The sentence for a public image of which there is no copy."""
    plain = " --dest-tls-verify=false" if is_loopback(source.image.host) else ""
    named = image if image.host else image.at("docker.io")
    target = source.image if source.image.digest is None else ImageReference(source.image.host, source.image.repository)
    command = f"skopeo copy --all{plain} docker://{named} docker://{target}"
    return f"{image} is public, and {source.image.host} has no copy of it to judge: {command}"


def licence_note(image: ImageReference) -> str:
    """What is to be known of Microsoft's images with TensorRT; "" for others."""
    if image.host != _MICROSOFT or "tensorrt" not in f"{image.repository}:{image.tag or ''}".lower():
        return ""
    return f"{image} contains TensorRT: Microsoft's images with it may be used with Microsoft Azure services only"


def answer_for_public(answer: CheckResult, image: ImageReference, source: ImageSource) -> CheckResult:
    """The answer of a copy, for the public image that it is a copy of."""
    if answer.digest is None and not answer.stands_against:
        return CheckResult.unresolved(str(image), how_to_copy(image, source))
    notes = (f"{image} is judged by its copy {source.image}", licence_note(image))
    return replace(answer, reference=str(image)).with_findings(REFERENCE_RULE, Weight.WARN, notes)


def elsewhere(image: ImageReference, here: str) -> str:
    """The sentence for an image of another registry."""
    there = image.host or "docker.io, which a reference without a registry means"
    return (
        f"{image} is on another registry ({there}): {here} judges only what was pushed to it; "
        f"push the image here and name {here}/{image.repository}"
    )


def _copy_of(image: ImageReference) -> RepositoryName | None:
    try:
        return RepositoryName.parse(f"{(image.host or 'docker.io').replace(':', '_')}/{image.repository}")
    except NameInvalid:
        return None
