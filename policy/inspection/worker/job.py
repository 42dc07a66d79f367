"""One layer to inspect, perhaps while it is uploaded: uploads report its progress, one worker reads it."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from registry.storage.blob_store import OpenedBlob
from registry.storage.file_stamp import Stamp, stamp_of

Open = Callable[[], OpenedBlob]


@dataclass(frozen=True, slots=True)
class Inspected:
    """The result of inspecting a layer.

    Attributes:
        body: the inspection's bytes (`LayerInspection.to_bytes`); empty when there is none.
        failure: why there is no inspection, as a sentence for a person; "" when there is one.
        opened: bytes of the layer that were read.
        passing: whether the layer was not the cause, so that another attempt may succeed.
        damaged: the stamp of the file that was read, when its bytes do not have the layer's digest.
    """

    body: bytes
    failure: str
    opened: int
    passing: bool = False
    damaged: Stamp | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How many bytes of the layer's file may be read, and whether they are the whole layer."""

    available: int
    complete: bool


class LayerJob:
    """The state of one layer between an upload, the queue and a worker. Safe to use from any thread."""

    def __init__(self, descriptor: int = -1, available: int = 0, opener: Open | None = None) -> None:
        """Take over the descriptor of a growing file, or give the `opener` of a complete one."""
        self.descriptor = descriptor
        self._opener = opener
        self._stamp: Stamp | None = None
        self._discard: Callable[[], None] | None = None
        self._has_discarded = False
        self.algorithm = "sha256"
        self.digest = ""
        self.attempts = 0
        self.parked = False
        self.urgent = True
        """Whether somebody waits for it or it is being uploaded: its worker runs at normal priority."""
        self.recalled = False
        """Whether its worker must drop it for a more urgent layer; it is read again later."""
        self.future: Future[Inspected] = Future()
        # Several may wait for it: none of them may cancel it for the others.
        self.future.set_running_or_notify_cancel()
        self._lock = threading.Lock()
        self._progress = Progress(available, complete=opener is not None)
        self._closed = False
        self._aborted = False
        self._moved = time.monotonic()
        self._listener: Callable[[], None] | None = None

    @property
    def progress(self) -> Progress:
        """The last reported progress."""
        return self._progress

    @property
    def aborted(self) -> bool:
        """Whether the upload was aborted."""
        return self._aborted

    @property
    def idle_seconds(self) -> float:
        """Seconds since the upload last reported progress."""
        return time.monotonic() - self._moved

    def listen(self, listener: Callable[[], None] | None) -> None:
        """Call a function at every change, from the thread that makes it; it must return at once."""
        with self._lock:
            self._listener = listener

    def grew(self, size: int) -> None:
        """The file has `size` bytes that will not change."""
        self._report(Progress(size, complete=False))

    def finished(self, digest: str, size: int) -> None:
        """The file is complete, and its digest is known."""
        self.digest = digest
        self._report(Progress(size, complete=True))

    def hasten(self, *, recalled: bool = False) -> None:
        """Make it urgent."""
        with self._lock:
            self.urgent = True
            self.recalled = recalled
            if self._listener is not None:
                self._listener()

    def abort(self) -> None:
        """The layer is no longer needed."""
        self._aborted = True
        self._report(self._progress)

    def open(self) -> None:
        """Open the file when it is not open yet.

        Raises:
            OSError: it cannot be opened.
        """
        if self._opener is not None and self.descriptor < 0:
            self.descriptor, self._stamp, self._discard = self._opener()
            self._progress = Progress(os.fstat(self.descriptor).st_size, complete=True)

    def stamp(self) -> Stamp | None:
        """The stamp of the open file; `None` when none is open."""
        if self.descriptor < 0 or self._stamp is not None:
            return self._stamp
        return stamp_of(os.fstat(self.descriptor))

    def discard(self) -> bool:
        """The bytes do not have the digest: whether they were a copy, which is not opened again. Once is enough."""
        if self._discard is None or self._has_discarded:
            return False
        self._discard()
        self._has_discarded = True
        return True

    def release(self) -> None:
        """Close a file that can be opened again."""
        if self._opener is not None and self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor, self._stamp = -1, None

    def close(self, result: Inspected) -> None:
        """Close the file and set the result; only the first call counts."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self.descriptor >= 0:
                os.close(self.descriptor)
        self.future.set_result(result)

    def _report(self, progress: Progress) -> None:
        with self._lock:
            self._progress = progress
            self._moved = time.monotonic()
            if self._listener is not None:
                self._listener()
