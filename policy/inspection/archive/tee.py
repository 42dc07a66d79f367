"""Read a stream in two threads: one decompresses, the other hashes the content and reads the archive.

Decompression and hashing release the interpreter's lock, so a layer takes little longer than its decompression.
Hashing and reading together take about as long as decompressing, so a third thread would not help. Short streams are
read in one thread, and so is everything where no thread can be started.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from itertools import chain

from policy.inspection.budgets import LayerRefused

_WAITING = 4
_ALONE = 4 * 1024 * 1024

Reader = Callable[[Iterator[bytes]], None]


class ReaderThread:
    """Runs a reader in a thread of its own, fed piece by piece; `close` ends its stream."""

    def __init__(self, reader: Reader) -> None:
        self.refused: LayerRefused | MemoryError | None = None
        self._pieces: queue.Queue[bytes] = queue.Queue(_WAITING)
        self._reader = reader
        self._thread = threading.Thread(target=self._work, name="layer-reader", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        pieces = iter(self._pieces.get, b"")
        try:
            self._reader(pieces)
        except (LayerRefused, MemoryError) as refused:
            self.refused = refused
        for _ in pieces:  # drain the queue, so that `put` never blocks
            pass

    def put(self, piece: bytes) -> None:
        """Hand over the next piece.

        Raises:
            LayerRefused: the reader has given up.
        """
        if self.refused is not None:
            raise self.refused
        self._pieces.put(piece)

    def close(self) -> None:
        """End the stream and wait for the reader."""
        self._pieces.put(b"")
        self._thread.join()


def read_by_all(pieces: Iterator[bytes], main: Reader, update: Callable[[bytes], None]) -> None:
    """Give every piece to `update`, then the whole stream to `main`.

    Raises:
        LayerRefused: from the stream or from `main`; the stream's own comes first.
    """
    first: list[bytes] = []
    size = 0
    for piece in pieces:
        first.append(piece)
        size += len(piece)
        if size > _ALONE:
            break
    whole = chain(first, pieces)
    del first
    reader = _start_reader(lambda given: main(_updating(given, update))) if size > _ALONE else None
    if reader is None:
        main(_updating(whole, update))
        return
    try:
        for piece in whole:
            reader.put(piece)
    finally:
        reader.close()
    if reader.refused is not None:
        raise reader.refused


def _start_reader(reader: Reader) -> ReaderThread | None:
    """Start a thread for a reader; `None` when no more threads can be started."""
    try:
        return ReaderThread(reader)
    except RuntimeError:
        return None


def _updating(pieces: Iterator[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for piece in pieces:
        update(piece)
        yield piece
