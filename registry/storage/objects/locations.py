"""Where a blob is in the store: `blobs/<algorithm>/<hex>/<version>`.

Each commit makes an object of its own, which nothing ever overwrites: a removal, also one that the store carries out
late, hits only what was there when it was decided. All objects of a digest have the same bytes; the newest counts.

    blobs/<algorithm>/<hex>/<version>          the bytes
    blobs/<algorithm>/<hex>/<version>.trash    empty: they were collected, and can be brought back for a time
    basegate.json                              marks the prefix as that of a basegate
"""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from registry.oci.digest import ENCODED_LENGTH, Digest
from registry.storage.file_stamp import Stamp
from registry.storage.objects.bucket import Listed

ROOT = "blobs"
TRASHED = ".trash"
_TIME, _CHANCE = 14, 18
"""Hexadecimal digits of a version: microseconds since the epoch, then chance."""
_REMEMBERED = 100_000


def new_version() -> str:
    """A name that no other commit has; later ones are greater, as far as clocks agree."""
    return f"{time.time_ns() // 1000:0{_TIME}x}{secrets.token_hex(_CHANCE // 2)}"


def folder_of(digest: Digest) -> str:
    """What the names of a digest's objects begin with, without the last slash."""
    return f"{ROOT}/{digest.algorithm}/{digest.encoded}"


@dataclass(frozen=True, slots=True)
class Location:
    """One object that holds a blob.

    Attributes:
        digest: the name of the blob.
        version: the last part of the object's name.
        size: bytes.
        modified: seconds since the epoch of its commit.
    """

    digest: Digest
    version: str
    size: int
    modified: float

    @property
    def key(self) -> str:
        """The name of the object."""
        return f"{folder_of(self.digest)}/{self.version}"

    @property
    def stamp(self) -> Stamp:
        """Tells one object from every other."""
        return Stamp(int(self.version, 16) % (1 << 63), self.size, int(self.version[:_TIME], 16) * 1000, 0)


def new_location(digest: Digest, size: int) -> Location:
    """Where a commit puts its bytes."""
    version = new_version()
    return Location(digest, version, size, int(version[:_TIME], 16) / 1e6)


@dataclass(frozen=True, slots=True)
class Found:
    """An object as it was listed.

    Attributes:
        location: of the bytes that it holds, or that it says are in the trash.
        trashed: whether it is such a mark.
    """

    location: Location
    trashed: bool


def read_listing(objects: Iterable[Listed]) -> Iterator[Found]:
    """The locations in a listing; what has another name is not ours.

    An object is as old as its name and the store say at least: an upload takes its time.
    """
    for listed in objects:
        parts = listed.key.split("/")
        version = parts[-1].removesuffix(TRASHED)
        if len(parts) != 4 or parts[0] != ROOT or len(parts[2]) != ENCODED_LENGTH.get(parts[1]):
            continue
        if len(version) != _TIME + _CHANCE or not _is_hexadecimal(version):
            continue
        modified = max(int(version[:_TIME], 16) / 1e6, listed.modified)
        location = Location(Digest(f"{parts[1]}:{parts[2]}"), version, listed.size, modified)
        yield Found(location, trashed=parts[-1].endswith(TRASHED))


def live(found: Iterable[Found]) -> list[Location]:
    """The locations that are not in the trash, the oldest first."""
    listed = list(found)
    gone = {(each.location.digest, each.location.version) for each in listed if each.trashed}
    locations = [each.location for each in listed if not each.trashed]
    return sorted(
        (location for location in locations if (location.digest, location.version) not in gone),
        key=lambda location: location.version,
    )


def _is_hexadecimal(text: str) -> bool:
    return not text.strip("0123456789abcdef")


class KnownLocations:
    """Remembers where blobs are, and which were read and found to be sound; for use by any thread."""

    def __init__(self) -> None:
        self._locations: OrderedDict[Digest, tuple[Location, float]] = OrderedDict()
        self._sound: set[str] = set()
        self._lock = threading.Lock()

    def get(self, digest: Digest, within: float | None = None) -> Location | None:
        """Where it was; with `within`, only if the store has said so in that many seconds."""
        found = self._locations.get(digest)
        if found is None or (within is not None and time.monotonic() - found[1] > within):
            return None
        return found[0]

    def put(self, location: Location) -> None:
        """The store has just said so."""
        with self._lock:
            self._forget(location.digest, location)
            self._locations[location.digest] = location, time.monotonic()
            if len(self._locations) > _REMEMBERED:
                self._sound.discard(self._locations.popitem(last=False)[1][0].version)

    def forget(self, digest: Digest) -> None:
        """It may be there no more."""
        with self._lock:
            self._forget(digest, None)

    def is_sound(self, location: Location) -> bool:
        """Whether it was read, and had its digest."""
        return location.version in self._sound

    def sound(self, location: Location) -> None:
        """It was read and has its digest."""
        with self._lock:
            known = self._locations.get(location.digest)
            if known is not None and known[0].version == location.version:
                self._sound.add(location.version)

    def _forget(self, digest: Digest, unless: Location | None) -> None:
        before = self._locations.pop(digest, None)
        if before is not None and (unless is None or before[0].version != unless.version):
            self._sound.discard(before[0].version)
