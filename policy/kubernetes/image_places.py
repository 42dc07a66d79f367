"""Every place of an object of Kubernetes that names an image, found by rules of its schema, whatever kind it is.

Sources: Container, EphemeralContainer and ImageVolumeSource in Kubernetes' OpenAPI document; `storageUri` and `uri` of
KServe's InferenceService. Kinds that Kubernetes does not know embed the same objects, or have members of the same name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Step = str | int

# Maps with names of the user's own, and an image of another kind (a block device of Ceph).
_OTHER = frozenset(
    {
        *("metadata", "userAnnotations", "nodeSelector", "selector", "matchLabels"),
        *("limits", "requests", "overhead", "capacity", "allocatedResources", "allocatedResourceStatuses"),
        *("volumeAttributes", "flexVolume", "data", "stringData", "binaryData", "rbd"),
    }
)
_MODELS = frozenset({"storageUri", "uri"})
_SCHEMES = ("oci://", "oci+native://")


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """One place that names an image.

    Attributes:
        path: names and positions from the object down to the text.
        image: the reference as written, without the scheme.
        scheme: what stands before it, as `oci://`; "" for containers and volumes.
    """

    path: tuple[Step, ...]
    image: str
    scheme: str = ""

    @property
    def pointer(self) -> str:
        """Where it is, as a JSON Pointer (RFC 6901)."""
        return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in self.path)


def image_places(document: Mapping[str, Any], *, kserve: bool = False) -> tuple[ImagePlace, ...]:
    """All places of an object, its status left out; with `kserve`, those of its models too. Empty texts name none."""
    found: list[ImagePlace] = []
    for name, value in document.items():
        if name != "status":
            found += _below(name, value, (name,), kserve)
    return tuple(found)


def _below(name: str, value: Any, path: tuple[Step, ...], kserve: bool) -> Iterator[ImagePlace]:  # noqa: FBT001
    """Those of a member: itself, or further down."""
    if isinstance(value, str):
        if value and name == "image":
            yield ImagePlace(path, value)
        elif kserve and name in _MODELS:
            yield from _model(value, path)
    elif isinstance(value, dict) and name not in _OTHER:
        volume = value.get("reference") if name == "image" else None
        if volume and isinstance(volume, str):
            yield ImagePlace((*path, "reference"), volume)
        for inner, item in value.items():
            yield from _below(inner, item, (*path, inner), kserve)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from _below("", item, (*path, position), kserve)


def _model(value: str, path: tuple[Step, ...]) -> Iterator[ImagePlace]:
    scheme = next((each for each in _SCHEMES if value.startswith(each)), "")
    if scheme:
        yield ImagePlace(path, value.removeprefix(scheme), scheme)
