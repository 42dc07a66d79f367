"""What to say of an image that is not there: the tag that was probably meant."""

import difflib
from collections.abc import Sequence

from sqlalchemy import Connection

from registry.metadata import repositories, tags
from registry.metadata.store import MetadataStore
from registry.oci.image_reference import DEFAULT_TAG, ImageReference

_LOOKED_AT = 1000
_NAMED = 3


async def not_here(metadata: MetadataStore, image: ImageReference) -> str:
    """A sentence about an image that this registry does not hold; the caller may pull from its repository."""
    missing = f"{image} is not in this registry"
    if image.host and image.repository.startswith(f"{image.host}/"):
        return f"{missing}: it names the registry twice: write {str(image).removeprefix(f'{image.host}/')}"
    there = await metadata.read_apart(_tags, image)
    if image.digest is not None or not there:
        return f"{missing}: push it first"
    wanted = image.tag or DEFAULT_TAG
    near = difflib.get_close_matches(wanted, there, _NAMED) or there[-_NAMED:]
    others = f" and {len(there) - len(near)} more" if len(there) > len(near) else ""
    have = f"{image.repository} has {', '.join(near)}{others}"
    if wanted == DEFAULT_TAG:  # clients write it where nobody did
        return f"{missing}: {DEFAULT_TAG} is meant where no tag is named, and {have}: name one of them"
    return f"{missing}: {have}: push it first, or name one of them"


def _tags(connection: Connection, image: ImageReference) -> Sequence[str]:
    repository = repositories.find(connection, image.repository)
    return [] if repository is None else tags.listed(connection, repository, "", _LOOKED_AT)
