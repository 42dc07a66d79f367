"""Digests: the name of content (image-spec, descriptor.md, "Digests")."""

import hashlib
import re
from typing import Protocol, Self

from registry.oci.errors import DigestInvalid

ENCODED_LENGTH = {"sha256": 64, "sha512": 128}
_GRAMMAR = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+")
_USUAL = re.compile(r"sha256:[0-9a-f]{64}")
_LOWER_HEX = re.compile(r"[0-9a-f]+")
_MAXIMUM = 256


class Hasher(Protocol):
    """What hashlib gives: bytes in, one digest out."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take the next bytes."""
        ...

    def hexdigest(self) -> str:
        """The lower-case hexadecimal digest of all bytes so far."""
        ...

    def copy(self) -> "Hasher":
        """Another that has taken the same bytes."""
        ...


class Digest(str):
    """`algorithm:encoded`, well-formed and of a supported algorithm. Equal to its text."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a digest from outside.

        Raises:
            DigestInvalid: the text breaks the grammar, or its algorithm is not sha256 or sha512.
        """
        if (usual := cls.usual(text)) is not None:
            return usual
        if len(text) > _MAXIMUM or not _GRAMMAR.fullmatch(text):
            raise DigestInvalid(
                f"{text[:_MAXIMUM]!r} is not a digest: needs algorithm:encoded", {"digest": text[:_MAXIMUM]}
            )
        algorithm, encoded = text.split(":", 1)
        if ENCODED_LENGTH.get(algorithm) != len(encoded) or not _LOWER_HEX.fullmatch(encoded):
            raise DigestInvalid(
                f"{text!r} is not a supported digest: needs sha256 with 64 or sha512 with 128 lower-case hex digits",
                {"digest": text},
            )
        return cls(text)

    @classmethod
    def usual(cls, text: str) -> Self | None:
        """A digest of the usual algorithm; `None` for every other text, well-formed or not."""
        return cls(text) if _USUAL.fullmatch(text) else None

    @classmethod
    def of(cls, content: bytes | memoryview, algorithm: str = "sha256") -> Self:
        """The digest of bytes in memory."""
        hasher = new_hasher(algorithm)
        hasher.update(content)
        return cls(f"{algorithm}:{hasher.hexdigest()}")

    @property
    def algorithm(self) -> str:
        """`sha256` or `sha512`."""
        return self.partition(":")[0]

    @property
    def encoded(self) -> str:
        """The lower-case hexadecimal part."""
        return self.partition(":")[2]


def new_hasher(algorithm: str) -> Hasher:
    """A fresh hasher.

    Raises:
        DigestInvalid: the algorithm is not supported.
    """
    if algorithm not in ENCODED_LENGTH:
        raise DigestInvalid(f"digest algorithm {algorithm[:64]!r} is not supported: use sha256 or sha512")
    return hashlib.new(algorithm)


def require_digest(announced: Digest, actual: str) -> None:
    """Raise DigestInvalid unless content has the announced digest."""
    if actual != announced:
        raise DigestInvalid(
            f"the content has digest {actual}, announced was {announced}: nothing was stored, upload it again",
            {"announced": announced, "found": actual},
        )
