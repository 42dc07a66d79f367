"""The members of an inference configuration that can name an image; all that do must agree."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from policy.gateway.inference_config.remarks import Remark, fail
from registry.oci.errors import OciError
from registry.oci.image_reference import ImageReference

# A reader of one form ignores the members of the others, so each would start another image.
PLACES = tuple(
    (*above, name)
    for above, name in product(((), ("docker",), ("environment",), ("environment", "docker")), ("baseImage", "image"))
)


def contradictions(document: Mapping[str, Any]) -> tuple[Remark, ...]:
    """A remark for each member that names another image than the first."""
    named = list(_named(document))
    return tuple(
        fail(f"{named[0][0]} names {named[0][1]}, and {place} names {image}: keep one, or name the same image in both")
        for place, image in named[1:]
        if _meant(image) != _meant(named[0][1])
    )


def _named(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for place in PLACES:
        value: Any = document
        for name in place:
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, str) and value.strip():
            yield ".".join(place), value.strip()


def _meant(image: str) -> ImageReference | str:
    try:
        return ImageReference.parse(image)
    except OciError:
        return image
