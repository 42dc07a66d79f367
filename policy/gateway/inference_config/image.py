"""The image of an inference configuration: reads it from any value, and remarks on it."""

from typing import Any

from policy.gateway.inference_config.placeholders import placeholder_in
from policy.gateway.inference_config.remarks import Remark, fail, unsure, warn
from registry.oci.errors import OciError
from registry.oci.image_reference import ImageReference
from registry.oci.kinds import kind_of

MISSPELT_SUFFIX = "azureecr.io"
RIGHT_SUFFIX = "azurecr.io"
DERIVED = "AzureML.DerivedImageName"
"""The property of a run that holds the name of the image built for it, a path in the workspace's registry."""


def read(value: Any, key: str) -> tuple[str, tuple[Remark, ...]]:
    """The image in a member; "" when it is unset, or unusable, then with a remark."""
    if value is None or value == "":
        return "", ()
    if not isinstance(value, str):
        return "", (fail(f"{key} is {kind_of(value)}: needs the image as text, HOST/repository:tag"),)
    image = value.strip()
    if DERIVED in image:
        needed = f'write the value that run.properties["{DERIVED}"] has, which looks like azureml/azureml_0123…'
        return "", (unsure(f"{key} names the property {DERIVED}, not its value: {needed}"),)
    if placeholder := placeholder_in(image):
        return "", (fail(f"{key} holds the placeholder {placeholder}: fill in the template first"),)
    try:
        ImageReference.parse(image)
    except OciError as error:
        return "", (fail(f"{key}: {error.message}"),)
    return image, ()


def remarks(image: str, registry: str) -> tuple[Remark, ...]:
    """Remarks on a well-formed image, or "", and its registry's host."""
    made = [_misspelt(text) for text in (image, registry) if MISSPELT_SUFFIX in text.lower()]
    if image:
        parsed = ImageReference.parse(image)
        made += [*_tag(parsed), *_host(parsed, registry), *_twice(parsed)]
    return tuple(made)


def _misspelt(text: str) -> Remark:
    meant = text.lower().replace(MISSPELT_SUFFIX, RIGHT_SUFFIX)
    return warn(f"{text} ends in {MISSPELT_SUFFIX}, which is not a registry: did you mean {meant}?")


def _tag(image: ImageReference) -> tuple[Remark, ...]:
    if image.tag is None and image.digest is None:
        return (warn(f"{image.repository} has no tag: latest is meant; name a tag, or better a digest"),)
    return ()


def _twice(image: ImageReference) -> tuple[Remark, ...]:
    """The host is in the image, and again in front of it; a host with a port is no part of any name."""
    if not image.host or not image.repository.startswith(f"{image.host}/"):
        return ()
    return (fail(f"{image} names its registry twice: write {str(image).removeprefix(f'{image.host}/')}"),)


def _host(image: ImageReference, registry: str) -> tuple[Remark, ...]:
    host = image.host or "docker.io"
    if not registry or registry == host:
        return ()
    return (warn(f"baseImageRegistry is {registry}, but the image comes from {host}: the login would not reach it"),)
