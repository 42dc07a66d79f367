"""Verifies evidence independently: reads only the named places, with the standard library's decompressors.

It shares no code with the inspection engine, so that an error there cannot confirm itself.
"""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO

from policy.inspection.archive.zstandard import zstd
from policy.inspection.facts import Evidence, EvidenceState

_PIECE = 1 << 20
_DAMAGE = (OSError, EOFError, zlib.error, zstd.ZstdError)

OpenLayer = Callable[[str], BinaryIO]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The result for one piece of evidence.

    Attributes:
        evidence: as claimed.
        confirmed: whether the layer holds those bytes there. Evidence without bytes (links, absent places) is neither
            confirmed nor denied: `None`.
        message: one sentence for a person.
    """

    evidence: Evidence
    confirmed: bool | None
    message: str


def verify(evidence: Iterable[Evidence], open_layer: OpenLayer) -> list[Confirmation]:
    """Read every place that evidence names, each layer once, up to its last place.

    Args:
        evidence: of an image's facts or findings.
        open_layer: gives the blob of a digest; raises `OSError` when it is not there.

    Returns:
        One confirmation per piece of evidence, in the order given.
    """
    items = list(evidence)
    bodies: dict[tuple[str, int, int], bytes | str] = {}
    for digest in dict.fromkeys(item.layer for item in items if item.size):
        places = sorted({(item.offset, item.size) for item in items if item.layer == digest and item.size})
        bodies.update(_read(places, digest, open_layer))
    return [_confirm(item, bodies.get((item.layer, item.offset, item.size), b"")) for item in items]


def _read(places: list[tuple[int, int]], digest: str, open_layer: OpenLayer) -> dict[tuple[str, int, int], bytes | str]:
    """The bytes at each place, in ascending order, or why they could not be read."""
    bodies: dict[tuple[str, int, int], bytes | str] = {}
    try:
        with open_layer(digest) as blob, _opened(blob) as stream:
            position = 0
            for offset, size in places:
                position += _skip(stream, offset - position)
                bodies[digest, offset, size] = body = stream.read(size)
                position += len(body)
    except _DAMAGE as error:
        for offset, size in places:
            bodies.setdefault((digest, offset, size), f"the layer cannot be read up to there: {error}")
    return bodies


def _skip(stream: BinaryIO, size: int) -> int:
    """Skip `size` bytes; returns how many were skipped."""
    if size < 0:
        raise OSError("two pieces of evidence overlap")
    left = size
    while left and (piece := stream.read(min(_PIECE, left))):
        left -= len(piece)
    return size - left


def _opened(blob: BinaryIO) -> BinaryIO:
    start = blob.read(4)
    blob.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(blob)  # type: ignore[return-value]
    if start == b"\x28\xb5\x2f\xfd" or start[1:] == b"\x2a\x4d\x18":
        return zstd.open(blob)  # type: ignore[return-value]
    return blob


def _confirm(item: Evidence, body: bytes | str) -> Confirmation:
    if item.state is EvidenceState.ABSENT:
        return Confirmation(item, None, f"{item.path} was looked for and not found: there are no bytes to read again")
    if not item.size:
        return Confirmation(item, None, f"{item.path} is evidence by being there: there are no bytes to read again")
    where = f"{item.path} in layer {item.index} at byte {item.offset}"
    if isinstance(body, str):
        return Confirmation(item, False, f"{where}: {body}")
    digest = hashlib.sha256(body).hexdigest()
    if digest != item.sha256:
        message = f"{where}: {len(body)} bytes with sha256 {digest}, the evidence says {item.sha256}"
        return Confirmation(item, False, message)
    if not _says(item, body):
        return Confirmation(
            item, False, f"{where}: the bytes are as claimed, but {item.value!r} does not stand in them"
        )
    return Confirmation(item, True, f"{where}: {item.size} bytes as claimed, saying {item.value or 'nothing'!r}")


def _says(item: Evidence, body: bytes) -> bool:
    """Whether the bytes contain the value, or the path does: some versions are read from a program's name."""
    if item.path.endswith(".json") and item.value:
        return _member(body) == item.value
    words = item.value.split()
    return all(_word(word).search(body) or _word(word).search(item.path.encode()) for word in words)


def _member(body: bytes) -> str:
    try:
        return str(json.loads(body)["version"])
    except (ValueError, LookupError, TypeError):
        return ""


def _word(word: str) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![0-9.])" + re.escape(word.encode()))
