"""The source of an image for a deployment: this registry, a public registry with a copy here, or another."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from policy.gateway.check_result import REFERENCE_RULE, CheckResult
from policy.gateway.hosts import is_ours
from policy.gateway.inference_config.remarks import Weight
from policy.gateway.settings import GatewaySettings
from registry.oci.errors import NameInvalid
from registry.oci.image_reference import DEFAULT_TAG, ImageReference
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
    """The kind of registry that an image comes from."""

    WORKSPACE = "workspace"  # this registry: the service signs in by itself
    PUBLIC = "public"  # needs no sign-in; judged by the copy in this registry
    STANDALONE = "standalone"  # another registry: its address, a user and a password are needed


@dataclass(frozen=True, slots=True)
class ImageSource:
    """The source of an image.

    Attributes:
        kind: of its registry.
        image: the image to look up in this registry; for a standalone source, the image as named.
    """

    kind: Kind
    image: ImageReference


def source_of(image: ImageReference, here: str, settings: GatewaySettings) -> ImageSource:
    """The source of an image.

    Args:
        image: as named; without a host it is Docker Hub's, unless it looks like one that a training run built.
        here: the Host header of the request, `HOST[:PORT]`.
        settings: names of this registry, and patterns of public images.
    """
    if is_derived(image) or (image.host and is_ours(image.host, here, settings.hosts)):
        return ImageSource(Kind.WORKSPACE, image if image.host else image.with_host(here))
    local = _copy_of(image)
    if local is not None and is_public(image, (*PUBLIC_IMAGES, *settings.public_images)):
        return ImageSource(Kind.PUBLIC, ImageReference(here, local, image.tag, image.digest))
    return ImageSource(Kind.STANDALONE, image)


def is_derived(image: ImageReference) -> bool:
    """Whether it looks like a value of `AzureML.DerivedImageName`: a path in the workspace's registry."""
    return not image.host and _DERIVED.fullmatch(image.repository) is not None


def is_public(image: ImageReference, patterns: Collection[str]) -> bool:
    """Whether a pattern covers `host/repository` (every tag) or `host/repository:tag`."""
    name = f"{image.host or 'docker.io'}/{image.repository}"
    return any_covers(patterns, name) or any_covers(patterns, f"{name}:{image.tag or DEFAULT_TAG}")


def how_to_copy(image: ImageReference, source: ImageSource) -> str:
    """The message for a public image without a copy."""
    named = image if image.host else image.with_host("docker.io")
    target = source.image if source.image.digest is None else ImageReference(source.image.host, source.image.repository)
    commands = f"basegate copy {named} {target}, or, with a file of docker save, basegate import FILE {target}"
    return f"{image} is public, and {source.image.host} has no copy of it to judge: {commands}"


def licence_note(image: ImageReference) -> str:
    """The licence note for Microsoft's images with TensorRT; "" for others."""
    if image.host != _MICROSOFT or "tensorrt" not in f"{image.repository}:{image.tag or ''}".lower():
        return ""
    return f"{image} contains TensorRT: Microsoft's images with it may be used with Microsoft Azure services only"


def answer_for_public(answer: CheckResult, image: ImageReference, source: ImageSource) -> CheckResult:
    """The result for a public image, from the result for its copy."""
    if answer.digest is None and not answer.stands_against:
        return CheckResult.unresolved(str(image), how_to_copy(image, source))
    notes = (f"{image} is judged by its copy {source.image}", licence_note(image))
    return replace(answer, reference=str(image)).with_findings(REFERENCE_RULE, Weight.WARN, notes)


def elsewhere(image: ImageReference, here: str) -> str:
    """The message for an image of another registry."""
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
