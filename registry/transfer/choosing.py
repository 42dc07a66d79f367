"""Which images of a source are meant, and what each is tagged at its target."""

from collections.abc import Sequence

from registry.oci.names import Tag
from registry.transfer.contents import SourceImage
from registry.transfer.errors import SourceUnusable

Wanted = Sequence[tuple[SourceImage, Tag | None]]
_SHOWN = 20


def chosen(images: Sequence[SourceImage], *, named: str, every: bool, tag: Tag | None) -> Wanted:
    """The images to copy, each with its tag at the target.

    Args:
        images: what the source offers.
        named: the tag, name or digest of the one that is wanted; "": the only one.
        every: whether all are wanted.
        tag: the tag at the target; `None`: that of the source.

    Raises:
        SourceUnusable: the source has none, several that could be meant, or two for one tag.
    """
    if not images:
        raise SourceUnusable("the source holds no image")
    if every:
        if tag is not None:
            raise SourceUnusable(f"all images cannot have the one tag {tag}: leave the tag out, or name one image")
        return _each(images)
    found = (
        [image for image in images if named in {image.tag, image.name, image.descriptor.digest}] if named else images
    )
    if not found:
        raise SourceUnusable(f"the source has no image {named!r}: it has {_names(images)}")
    if len({image.descriptor.digest for image in found}) > 1:
        raise SourceUnusable(f"the source has several images: name one with --image, or take --all: {_names(found)}")
    if tag is not None:
        return [(found[0], tag)]
    return _each(found)


def _each(images: Sequence[SourceImage]) -> Wanted:
    by_tag: dict[Tag, SourceImage] = {}
    for image in images:
        if image.tag is None:
            continue
        other = by_tag.setdefault(image.tag, image)
        if other.descriptor.digest != image.descriptor.digest:
            raise SourceUnusable(
                f"{other.name} and {image.name} would both be tagged {image.tag}: import one after the other, "
                "each with --image NAME and a tag at the target"
            )
    tagged = {image.descriptor.digest for image in by_tag.values()}
    loose = {
        image.descriptor.digest: image
        for image in images
        if image.tag is None and image.descriptor.digest not in tagged
    }
    return [*((image, tag) for tag, image in by_tag.items()), *((image, None) for image in loose.values())]


def _names(images: Sequence[SourceImage]) -> str:
    names = [image.name for image in images]
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
