"""What a store keeps beside its blobs, in memory: damaged content, what was collected, and no reserve."""

from collections.abc import Iterator

import structlog

from registry.oci.digest import Digest
from registry.storage.blob_store import Damaged
from registry.storage.file_stamp import Stamp
from registry.storage.memory.contents import Contents

_FREE = 1 << 40
"""Bytes of room that are told of: memory is not kept in reserve."""


class MemoryQuarantine:
    """See `registry.storage.blob_store.Quarantine`."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._held: dict[Damaged, None] = {}
        self._generation = 0
        self._log = structlog.get_logger(__name__)
        self.found = 0

    def generation(self) -> int:
        """Changes at once."""
        return self._generation

    def withheld(self) -> frozenset[Digest]:
        """Those of the damaged blobs that nobody pushed again."""
        return frozenset(item.digest for item in self.held() if not item.is_manifest)

    def set_aside(self, digest: Digest, seen: Stamp, reason: str) -> bool:
        """Take away what has this stamp."""
        with self._contents.lock:
            found = self._contents.blobs.get(digest)
            if found is None or found.stamp != seen:
                return False
            del self._contents.blobs[digest]
        return self._tell(Damaged(digest, is_manifest=False), reason)

    def note_manifest(self, digest: Digest, content: bytes, reason: str) -> None:  # noqa: ARG002  nobody looks at them
        """Tell of it the first time."""
        self._tell(Damaged(digest, is_manifest=True), reason)

    def note_missing(self, digest: Digest) -> bool:
        """A blob that should be there is not; whether that is news."""
        return self._tell(Damaged(digest, is_manifest=False), "it is missing")

    def manifest_is_whole(self, digest: Digest) -> None:
        """It is no longer damaged if it was."""
        self.forget(Damaged(digest, is_manifest=True))

    def held(self) -> list[Damaged]:
        """What is damaged now; blobs that were pushed again since are forgotten."""
        for item in [item for item in self._held if not item.is_manifest and item.digest in self._contents.blobs]:
            self._log.warning("damaged content was healed by a push", digest=item.digest)
            self.forget(item)
        return list(self._held)

    def forget(self, item: Damaged) -> None:
        """Nobody needs it any more."""
        if item in self._held:
            del self._held[item]
            self._generation += 1

    def _tell(self, item: Damaged, reason: str) -> bool:
        if item in self._held:
            return False
        self._held[item] = None
        self._generation += 1
        self.found += 1
        self._log.error("damaged content is withheld until it is pushed again", digest=item.digest, reason=reason)
        return True


class MemoryTrash:
    """See `registry.storage.blob_store.Trash`."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    def recover(self, digest: Digest) -> bool:
        """Bring a blob back, as young as now."""
        with self._contents.lock:
            _, found = self._contents.trash.get(digest, (0.0, None))
            if found is None or Digest.of(found.raw, digest.algorithm) != digest:
                return False
            del self._contents.trash[digest]
            self._contents.add(digest, found.raw)
            return True

    def empty(self, before: float) -> int:
        """Remove what came here before a time."""
        with self._contents.lock:
            old = [digest for digest, (since, _) in self._contents.trash.items() if since < before]
            for digest in old:
                del self._contents.trash[digest]
            return len(old)

    def kept(self) -> Iterator[Digest]:
        """All of them."""
        yield from list(self._contents.trash)

    def read(self, digest: Digest) -> Iterator[bytes]:
        """In one piece."""
        if digest not in self._contents.trash:
            raise FileNotFoundError(digest)
        yield self._contents.trash[digest][1].raw


class NoReserve:
    """See `registry.storage.blob_store.Reserve`: there is room as long as there is memory."""

    given_up = False

    def is_short(self) -> bool:
        """Never."""
        return False

    def require(self) -> None:
        """There is room."""

    def want(self, size: int) -> None:
        """Nothing is kept."""

    def keep(self) -> bool:
        """Nothing is missing."""
        return True

    def give_up(self, *, start: bool = False) -> bool:  # noqa: ARG002
        """There is nothing to let go of."""
        return False

    def free(self) -> int:
        """More than anybody asks for."""
        return _FREE

    def problems(self) -> list[str]:
        """None."""
        return []
