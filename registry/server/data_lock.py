"""One server for one data folder: a lock that ends with the process, however it ends."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from registry.server.startup import CannotStart

FILE = "server.lock"


class DataLock:
    """Held by the server of a data folder for as long as it lives. Commands on the folder do not need it."""

    def __init__(self, data: Path) -> None:
        """Take the lock, and write the process id to the file for error messages.

        Raises:
            CannotStart: another server holds it, or the file cannot be written.
        """
        path = data / FILE
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise CannotStart(f"{path} cannot be written: {error.strerror}: change its owner") from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise CannotStart(
                f"data folder {data} is in use by another server (process {holder}): stop it, or name another folder "
                "with --data"
            ) from None
        with suppress(OSError):  # disk full: the lock holds all the same
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

        # Lock the folder too: the file may be removed.
        self._folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise CannotStart(
                f"data folder {data} is in use by another server, whose {FILE} was removed: stop it, or name another "
                "folder with --data"
            ) from None
        except OSError:
            pass  # a file system that cannot lock folders

    def release(self) -> None:
        """Release the lock."""
        for descriptor in (self._folder, self._descriptor):
            os.close(descriptor)
