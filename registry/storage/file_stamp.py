"""Telling whether a file is still the one that was looked at, without reading it."""

import os
import threading
from collections import OrderedDict
from typing import NamedTuple

from registry.oci.digest import Digest

_REMEMBERED = 20_000


class Stamp(NamedTuple):
    """Which file it is, and when its bytes or its attributes were last changed (nanoseconds since the epoch)."""

    file: int
    size: int
    modified: int
    changed: int


def stamp_of(found: os.stat_result) -> Stamp:
    """The stamp of a file."""
    return Stamp(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class SoundFiles:
    """Remembers which files were read and found to have their digest; for use by any thread."""

    def __init__(self) -> None:
        self._stamps: OrderedDict[Digest, Stamp] = OrderedDict()
        self._lock = threading.Lock()

    def knows(self, digest: Digest, stamp: Stamp) -> bool:
        """Whether this very file was, and is as it was."""
        return self._stamps.get(digest) == stamp

    def add(self, digest: Digest, stamp: Stamp) -> None:
        """It was found to be sound."""
        with self._lock:
            self._stamps[digest] = stamp
            if len(self._stamps) > _REMEMBERED:
                self._stamps.popitem(last=False)
