"""Damaged content, set aside: it is never served again, a push of the same content heals it.

    quarantine/<algorithm>-<hex>            the damaged bytes of a blob
    quarantine/<algorithm>-<hex>.manifest   the damaged bytes of a manifest

What is held here is the list of what is damaged: it outlives the process, and every process on the folder sees it.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import structlog

from registry.oci.digest import ENCODED_LENGTH, Digest
from registry.storage.blob_store import Damaged
from registry.storage.disk.layout import Layout
from registry.storage.disk.stray import is_file
from registry.storage.file_stamp import Stamp, stamp_of

_MANIFEST = ".manifest"
_LOOK_SECONDS = 0.1


class DiskQuarantine:
    """Sets damaged files aside and tells of them; see `registry.storage.blob_store.Quarantine`.

    Args:
        layout: prepared.

    Attributes:
        found: how often this process found something damaged.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._folder = layout.quarantine
        self._log = structlog.get_logger(__name__)
        self._manifests = {item.digest for item in self.held() if item.is_manifest}
        self.found = 0
        self._blobs: frozenset[Digest] = frozenset()
        self._generation = 0
        self._changed = -1
        self._next_look = 0.0

    def generation(self) -> int:
        """Changes when anything becomes damaged or is healed: here at once, elsewhere within a tenth of a second."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + _LOOK_SECONDS
            with suppress(OSError):
                changed = self._folder.stat().st_mtime_ns
                if changed != self._changed:
                    self._changed = changed
                    self._generation += 1
                    self._blobs = frozenset(item.digest for item in self._all() if not item.is_manifest)
        return self._generation

    def withheld(self) -> frozenset[Digest]:
        """Blobs that are damaged or missing."""
        self.generation()
        if self._blobs and all(self._is_there(digest) for digest in self._blobs):
            self.held()  # all were pushed again
            self._look_at_once()
        return frozenset(digest for digest in self._blobs if not self._is_there(digest))

    def _look_at_once(self) -> None:
        self._next_look, self._changed = 0.0, -1
        self.generation()

    def set_aside(self, digest: Digest, seen: Stamp, reason: str) -> bool:
        """Take a damaged blob's file away, unless another has its name by now; whether it was.

        Args:
            digest: the blob.
            seen: the file that was found to be damaged.
            reason: what is wrong with it, as the end of a sentence.
        """
        path = self._layout.blob(digest)
        aside = self._layout.discarded / f"{digest.encoded}.{uuid.uuid4()}"
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        if stamp_of(aside.lstat()).file != seen.file:
            # A push has put a whole file there meanwhile.
            aside.rename(path)
            return False
        aside.rename(self._place(digest))
        self._tell(digest, reason)
        return True

    def note_manifest(self, digest: Digest, content: bytes, reason: str) -> None:
        """Keep a copy of a manifest's damaged bytes, and tell of it the first time."""
        if digest in self._manifests:
            return
        self._manifests.add(digest)
        with suppress(OSError):  # a full disk: it is damaged all the same
            self._place(digest, _MANIFEST).write_bytes(content)
        self._tell(digest, reason)

    def note_missing(self, digest: Digest) -> bool:
        """A blob that should be there is not; whether that is news."""
        place = self._place(digest)
        if place.exists():
            return False
        place.touch(mode=0o400)
        self._tell(digest, "its file is missing")
        return True

    def manifest_is_whole(self, digest: Digest) -> None:
        """A manifest was pushed, or put right: it is no longer damaged if it was."""
        if digest in self._manifests:
            self._manifests.discard(digest)
            self._place(digest, _MANIFEST).unlink(missing_ok=True)

    def held(self) -> list[Damaged]:
        """What is damaged now; blobs that were pushed again since are forgotten."""
        if not self._folder.is_dir():
            return []
        return [item for item in self._all() if not self._healed(item)]

    def forget(self, item: Damaged) -> None:
        """Nobody needs it any more."""
        self._place_of(item).unlink(missing_ok=True)
        if item.is_manifest:
            self._manifests.discard(item.digest)

    def _is_there(self, digest: Digest) -> bool:
        return is_file(self._layout.blob(digest))

    def _healed(self, item: Damaged) -> bool:
        if item.is_manifest or not self._is_there(item.digest):
            return False
        self._place_of(item).unlink(missing_ok=True)
        self._log.warning("damaged content was healed by a push", digest=item.digest)
        return True

    def _all(self) -> Iterator[Damaged]:
        for name in sorted(path.name for path in self._folder.iterdir()):
            algorithm, _, encoded = name.removesuffix(_MANIFEST).partition("-")
            if len(encoded) == ENCODED_LENGTH.get(algorithm):
                yield Damaged(Digest(f"{algorithm}:{encoded}"), name.endswith(_MANIFEST))

    def _place_of(self, item: Damaged) -> Path:
        return self._place(item.digest, _MANIFEST if item.is_manifest else "")

    def _place(self, digest: Digest, ending: str = "") -> Path:
        return self._folder / f"{digest.algorithm}-{digest.encoded}{ending}"

    def _tell(self, digest: Digest, reason: str) -> None:
        self.found += 1
        self._look_at_once()
        self._log.error(
            "damaged content is withheld until it is pushed again",
            digest=digest,
            reason=reason,
            place=self._folder.name,
        )
