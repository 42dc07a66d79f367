"""The members of an inference configuration that can name an image; all that do must agree.

The functions take the `known_members` of a document.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any

from policy.gateway.inference_config.members import Found, dotted, spelt_alike
from policy.gateway.inference_config.remarks import Remark, fail
from registry.oci.errors import OciError
from registry.oci.image_reference import ImageReference

# A reader of one form ignores the members of the others, so each would start another image.
_ABOVE = ((), ("docker",), ("environment",), ("environment", "docker"))
PLACES = tuple((*above, name) for above, name in product(_ABOVE, ("baseImage", "image")))
_TOLD = 10
_BUILDS = tuple((*above, name) for above, name in product(_ABOVE, ("baseDockerfile", "buildContext", "build")))


def contradictions(document: Mapping[str, Any]) -> tuple[Remark, ...]:
    """A remark for each member that names another image than the first, and for each build beside it."""
    named = [(dotted(path), value.strip()) for path, value in named_in(document)]
    return (*islice(_others(named), _TOLD), *islice(_built(document, named), _TOLD))


def named_in(document: Mapping[str, Any]) -> Iterator[Found]:
    """Path and text of each member that names an image, in any spelling."""
    for path, value in _all(document, PLACES):
        if isinstance(value, str) and value.strip():
            yield path, value


def builds_in(document: Mapping[str, Any]) -> list[str]:
    """The members that have an image built, in any spelling."""
    return [dotted(path) for path, value in _all(document, _BUILDS) if value]


def _all(document: Mapping[str, Any], places: Sequence[Sequence[str]]) -> Iterator[Found]:
    for place in places:
        yield from spelt_alike(document, place)


def _built(document: Mapping[str, Any], named: Sequence[tuple[str, str]]) -> Iterator[Remark]:
    for build in builds_in(document) if named else ():
        yield fail(
            f"{build} stands beside {named[0][0]}: some readers build an image of their own, keep one of the two"
        )


def _others(named: Sequence[tuple[str, str]]) -> Iterator[Remark]:
    for place, image in named[1:]:
        first, read = named[0]
        if _meant(image) != _meant(read):
            both = f"{first} names {read:.200}, and {place} names {image:.200}"
            yield fail(f"{both}: keep one, or name the same image in both")


def _meant(image: str) -> ImageReference | str:
    try:
        return ImageReference.parse(image)
    except OciError:
        return image
