"""Ids of uploads that nodes share: they say by themselves that a node has given them out, for what, and when.

So an upload needs no row before its first byte: whichever node gets it knows it by its id. That is no permission for
anything, which each request needs by itself: it keeps ids that nobody was given, and old ones, from being taken for
uploads (docs/adr/0079-an-upload-without-bytes-is-its-id.md).
"""

import hashlib
import hmac
import secrets
import uuid

from registry.storage.blob_store import Opening

_ALGORITHMS = ("sha256", "sha512")
_CHANCE_BITS, _MAC_BITS = 38, 48
_LOW, _MIDDLE = (1 << 62) - 1, (1 << 12) - 1
_VERSION, _VARIANT = 8 << 76, 2 << 62
"""Of a UUID whose other bits are ours (RFC 9562, 5.8)."""


class UploadIds:
    """Those of one registry.

    Args:
        store: id of its rows, which all its nodes have.
    """

    def __init__(self, store: str) -> None:
        self._key = hashlib.sha256(f"uploads of {store}".encode()).digest()

    def new(self, opening: Opening) -> str:
        """An id for an upload; it says all of the opening but by whom, and the time in whole seconds."""
        said = int(opening.started) << 4 | _ALGORITHMS.index(opening.algorithm)
        return str(_uuid(self._signed(opening.repository, said << _CHANCE_BITS | secrets.randbits(_CHANCE_BITS))))

    def opening(self, upload: str, repository: str, principal: str) -> Opening | None:
        """What an upload of this repository was opened with, if a node has given out its id, for who asks for it."""
        number = _number(uuid.UUID(upload))
        signed = number >> _MAC_BITS
        if not hmac.compare_digest(*(each.to_bytes(16) for each in (number, self._signed(repository, signed)))):
            return None
        said = signed >> _CHANCE_BITS
        return Opening(repository, _ALGORITHMS[said & 15], principal, float(said >> 4))

    def _signed(self, repository: str, number: int) -> int:
        mac = hmac.digest(self._key, number.to_bytes(10) + repository.encode(), "sha256")
        return number << _MAC_BITS | int.from_bytes(mac[: _MAC_BITS // 8])


def _uuid(number: int) -> uuid.UUID:
    """Of 122 bits."""
    return uuid.UUID(int=(number >> 74) << 80 | _VERSION | (number >> 62 & _MIDDLE) << 64 | _VARIANT | number & _LOW)


def _number(upload: uuid.UUID) -> int:
    """Its 122 bits that are ours; another version of UUID gives one that nobody has signed."""
    if (upload.int >> 62 & 3, upload.int >> 76 & 15) != (2, 8):
        return 0
    return (upload.int >> 80) << 74 | (upload.int >> 64 & _MIDDLE) << 62 | upload.int & _LOW
