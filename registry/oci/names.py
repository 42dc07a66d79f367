"""Repository names, tags and references (distribution-spec, "Pulling manifests")."""

import re
from typing import Self

from registry.oci.digest import Digest
from registry.oci.errors import NameInvalid, TagInvalid

NAME_MAXIMUM = 255
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


class RepositoryName(str):
    """A valid repository name. Equal to its text."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a repository name.

        Raises:
            NameInvalid: longer than 255 characters, or not lower-case components joined by `/`.
        """
        if len(text) > NAME_MAXIMUM or not _NAME.fullmatch(text):
            shown = text[:NAME_MAXIMUM]
            raise NameInvalid(
                f"invalid repository name {shown!r}: needs lower-case letters, digits and separators . _ __ - in "
                f"components joined by /, at most {NAME_MAXIMUM} characters",
                {"name": shown},
            )
        return cls(text)


class Tag(str):
    """A valid tag. Equal to its text."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a tag.

        Raises:
            TagInvalid: empty, longer than 128 characters, or with characters outside `[a-zA-Z0-9._-]`.
        """
        if not _TAG.fullmatch(text):
            shown = text[:160]
            raise TagInvalid(
                f"invalid tag {shown!r}: needs 1 to 128 of A-Z a-z 0-9 _ . - and no . or - at the start", {"tag": shown}
            )
        return cls(text)


Reference = Tag | Digest


def parse_reference(text: str) -> Reference:
    """Parse a tag or digest: with a colon it is a digest.

    Raises:
        DigestInvalid: has a colon and is not a supported digest.
        TagInvalid: has no colon and is not a tag.
    """
    return Digest.parse(text) if ":" in text else Tag.parse(text)
