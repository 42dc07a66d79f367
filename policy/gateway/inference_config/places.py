"""The members of an inference configuration that can name an image; all that do must agree."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from policy.gateway.inference_config.remarks import Remark, fail, unsure
from registry.oci.errors import OciError
from registry.oci.image_reference import ImageReference

# A reader of one form ignores the members of the others, so each would start another image.
PLACES = tuple(
    (*above, name)
    for above, name in product(((), ("docker",), ("environment",), ("environment", "docker")), ("baseImage", "image"))
)


_VARIABLES = ("environmentVariables", "environment_variables")


def contradictions(document: Mapping[str, Any]) -> tuple[Remark, ...]:
    """A remark for each member that names another image than the first, and for what changes the one that is named."""
    named = list(_named(document))
    return (*_others(named), *_built(document, named), *(_moved(document) if named else ()))


def _built(document: Mapping[str, Any], named: Sequence[tuple[str, str]]) -> Iterator[Remark]:
    """Builds of version 2 beside an image of another form; beside its own `image` they are told of elsewhere."""
    for above in ((), ("environment",)):
        place = _at(document, above)
        if named and isinstance(place, Mapping) and place.get("build") and not place.get("image"):
            build = ".".join((*above, "build"))
            yield fail(
                f"{build} stands beside {named[0][0]}: some readers build an image of their own, keep one of the two"
            )


def _moved(document: Mapping[str, Any]) -> Iterator[Remark]:
    """Variables of a container that replace the image's PATH, by which its programs were found."""
    for above, name in product(((), ("environment",)), _VARIABLES):
        variables = _at(document, (*above, name))
        if isinstance(variables, Mapping) and "PATH" in variables:
            place = ".".join((*above, name))
            yield unsure(f"{place} sets PATH: the image was judged by its own, so set it there (ENV PATH=…)")


def _at(document: Any, place: Sequence[str]) -> Any:
    for name in place:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _others(named: Sequence[tuple[str, str]]) -> tuple[Remark, ...]:
    return tuple(
        fail(f"{named[0][0]} names {named[0][1]}, and {place} names {image}: keep one, or name the same image in both")
        for place, image in named[1:]
        if _meant(image) != _meant(named[0][1])
    )


def _named(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for place in PLACES:
        value = _at(document, place)
        if isinstance(value, str) and value.strip():
            yield ".".join(place), value.strip()


def _meant(image: str) -> ImageReference | str:
    try:
        return ImageReference.parse(image)
    except OciError:
        return image
