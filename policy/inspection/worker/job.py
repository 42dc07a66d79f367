"""One layer that is to be inspected, perhaps while it still arrives: told by uploads, followed by one worker."""

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
    """What became of a layer.

    Attributes:
        body: the inspection's bytes (`LayerInspection.to_bytes`); empty when there is none.
        failure: why there is none: a sentence for a person, "" when there is one.
        opened: bytes of the layer that were read.
        passing: whether the cause was not the layer's, so that another attempt may well succeed.
        damaged: the stamp of what was read, when its bytes do not have the layer's digest.
    """

    body: bytes
    failure: str
    opened: int
    passing: bool = False
    damaged: Stamp | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the layer's file may be read, and whether that is all of it."""

    available: int
    complete: bool


class LayerJob:
    """The state of one layer between an upload, the queue and a worker. Safe to use from any thread."""

    def __init__(self, descriptor: int = -1, available: int = 0, opener: Open | None = None) -> None:
        """Take over the descriptor of an open file that still grows, or open a whole one in its turn."""
        self.descriptor = descriptor
        self._opener = opener
        self._stamp: Stamp | None = None
        self.algorithm = "sha256"
        self.digest = ""
        self.attempts = 0
        self.parked = False
        self.urgent = True
        """Whether somebody waits for it, or an upload brings it: its reader does not stand back."""
        self.recalled = False
        """Whether its reader is to leave it to something more urgent; it is read anew."""
        self.future: Future[Inspected] = Future()
        # Several may wait for it: none of them may call it off for the others.
        self.future.set_running_or_notify_cancel()
        self._lock = threading.Lock()
        self._progress = Progress(available, complete=opener is not None)
        self._closed = False
        self._aborted = False
        self._moved = time.monotonic()
        self._listener: Callable[[], None] | None = None

    @property
    def progress(self) -> Progress:
        """What the upload last said."""
        return self._progress

    @property
    def aborted(self) -> bool:
        """Whether the upload came to nothing."""
        return self._aborted

    @property
    def idle_seconds(self) -> float:
        """How long the upload has said nothing."""
        return time.monotonic() - self._moved

    def listen(self, listener: Callable[[], None] | None) -> None:
        """Have a function called at every news, from whatever thread brings it; it must return at once."""
        with self._lock:
            self._listener = listener

    def grew(self, size: int) -> None:
        """The file holds so many bytes that will not change."""
        self._tell(Progress(size, complete=False))

    def finished(self, digest: str, size: int) -> None:
        """The file is whole and has been given its name."""
        self.digest = digest
        self._tell(Progress(size, complete=True))

    def hasten(self, *, recalled: bool = False) -> None:
        """From now on it is urgent."""
        with self._lock:
            self.urgent = True
            self.recalled = recalled
            if self._listener is not None:
                self._listener()

    def abort(self) -> None:
        """Nobody wants the layer any more."""
        self._aborted = True
        self._tell(self._progress)

    def open(self) -> None:
        """Open the file when it is not open yet.

        Raises:
            OSError: it cannot be opened.
        """
        if self._opener is not None and self.descriptor < 0:
            self.descriptor, self._stamp = self._opener()
            self._progress = Progress(os.fstat(self.descriptor).st_size, complete=True)

    def seen(self) -> Stamp | None:
        """What is open."""
        if self.descriptor < 0 or self._stamp is not None:
            return self._stamp
        return stamp_of(os.fstat(self.descriptor))

    def release(self) -> None:
        """Close a file that can be opened again."""
        if self._opener is not None and self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor, self._stamp = -1, None

    def close(self, found: Inspected) -> None:
        """Let go of the file and give the answer; once."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self.descriptor >= 0:
                os.close(self.descriptor)
        self.future.set_result(found)

    def _tell(self, progress: Progress) -> None:
        with self._lock:
            self._progress = progress
            self._moved = time.monotonic()
            if self._listener is not None:
                self._listener()
