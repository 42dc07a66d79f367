"""The diff_id of a layer: the sha256 of its uncompressed stream, taken beside the reading in a second thread."""

import hashlib
import queue
import threading
from collections.abc import Iterator

_WAITING = 6
_ALONE = 4 * 1024 * 1024


class StreamHash:
    """Hashes pieces as they pass. The thread starts with the first long stream and ends with `hexdigest` or `close`."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._seen = 0
        self._pieces: queue.Queue[bytes] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None

    def through(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same pieces, hashed."""
        for piece in pieces:
            self._seen += len(piece)
            if self._thread is None and self._seen > _ALONE:
                self._start()
            if self._thread is None:
                self._hash.update(piece)
            else:
                self._pieces.put(piece)
            yield piece

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name="diff-id", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads allowed here: hash in this one
            self._seen = -(1 << 62)
        else:
            self._thread = thread

    def _work(self) -> None:
        while piece := self._pieces.get():
            self._hash.update(piece)

    def close(self) -> None:
        """End the thread, if there is one."""
        if self._thread is not None:
            self._pieces.put(b"")
            self._thread.join()
            self._thread = None

    def hexdigest(self) -> str:
        """The digest of everything that passed."""
        self.close()
        return self._hash.hexdigest()
