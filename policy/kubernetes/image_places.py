"""Every place of an object of Kubernetes that names an image, found by rules of its schema, whatever kind it is.

Sources: Container, EphemeralContainer and ImageVolumeSource in Kubernetes' OpenAPI document; the attribute `image` of
volumes that CSI drivers mount images as, and their handle (csi-driver-image, "Usage"); `storageUri` and `uri` of
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
IMAGE_DRIVERS = frozenset({"csi-image.warm-metal.tech", "container-image.csi.k8s.io"})
"""CSI drivers whose volumes are images: without an attribute, the handle of a persistent volume is the image."""
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
        yield from _volume(name, value, path)
        for inner, item in value.items():
            yield from _below(inner, item, (*path, inner), kserve)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from _below("", item, (*path, position), kserve)


def _volume(name: str, value: Mapping[str, Any], path: tuple[Step, ...]) -> Iterator[ImagePlace]:
    if name == "image":
        yield from _text(value, "reference", path)
    elif name == "csi":
        yield from _of_driver(value, path)


def _of_driver(volume: Mapping[str, Any], path: tuple[Step, ...]) -> Iterator[ImagePlace]:
    """The image of a CSI volume, whatever its driver makes of the attribute."""
    attributes = volume.get("volumeAttributes")
    named = [*_text(attributes, "image", (*path, "volumeAttributes"))] if isinstance(attributes, dict) else []
    if not named and str(volume.get("driver")) in IMAGE_DRIVERS:
        named = [*_text(volume, "volumeHandle", path)]
    yield from named


def _text(holder: Mapping[str, Any], name: str, path: tuple[Step, ...]) -> Iterator[ImagePlace]:
    """The member that names an image, where it is a text and not empty."""
    text = holder.get(name)
    if text and isinstance(text, str):
        yield ImagePlace((*path, name), text)


def _model(value: str, path: tuple[Step, ...]) -> Iterator[ImagePlace]:
    scheme = next((each for each in _SCHEMES if value.startswith(each)), "")
    if scheme:
        yield ImagePlace(path, value.removeprefix(scheme), scheme)
