"""The file of an audit log: appended to by the server and by commands, one at a time, and rotated by size.

Who appends holds a lock of the file (`flock`), and a command makes sure then that the file has not been renamed: all
writers carry on one chain.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from registry.telemetry.audit_chain import ChainEnd, Tail, chained, digest_of, head_text, read_head, tail_of

HEAD_SUFFIX = ".head"
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_HEAD_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_PAUSE = 0.01
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
"""Of file systems without locks: what they hold is written as if nobody else wrote."""
_UNKNOWN = -1


class AuditFile:
    """One process's view of the file; not thread-safe.

    Args:
        path: of the file; its folder is created, for its owner only.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = open_file(path)
        self._head: int | None = None
        self._end = ChainEnd(0, "")
        self._known = _UNKNOWN
        self._torn = False
        self.lacking = 0

    @property
    def size(self) -> int:
        """Bytes of the file, now."""
        return os.lseek(self._descriptor, 0, os.SEEK_END)

    @contextmanager
    def held(self, seconds: float = 0.0) -> Iterator[bool]:
        """Hold the lock for the block; `False`: another process has held it for all these seconds."""
        until = time.monotonic() + seconds
        while not self._lock():
            if time.monotonic() >= until:
                yield False
                return
            time.sleep(_PAUSE)
        try:
            yield True
        finally:
            _flock(self._descriptor, fcntl.LOCK_UN)

    @contextmanager
    def held_by_name(self, seconds: float) -> Iterator[bool]:
        """`held`, of the file that bears the name: it may have been rotated since it was opened.

        Raises:
            OSError: the file that bears the name cannot be opened.
        """
        until = time.monotonic() + seconds
        while True:
            with self.held(max(0.0, until - time.monotonic())) as mine:
                if not mine or not self.follow():
                    yield mine
                    return

    def append(self, lines: Sequence[bytes]) -> int:
        """Chain lines (JSON objects, without line ends) and append them in one write; the caller holds the lock.

        Returns how many the file has taken, from the first on: each wholly or not at all.

        Raises:
            OSError: it takes none.
        """
        size = self.size
        if size != self._known:
            self._resume(size)
        begin = b"\n" if self._torn else b""
        made, ends = [], [self._end]
        for line in lines:
            text, end = chained(line, ends[-1])
            made.append(text + b"\n")
            ends.append(end)
        written = os.write(self._descriptor, begin + b"".join(made))
        taken = self._whole(made, size, len(begin), written)
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._torn = False
        self._end = ends[taken]
        self._write_head()
        return taken

    def read(self, begin: int, end: int) -> bytes:
        """The bytes of the file from one place to another."""
        return os.pread(self._descriptor, end - begin, begin)

    def rotate(self, keep: int) -> None:
        """Move the file to `.1`, the older ones further, and begin a new one; the caller holds the lock.

        Raises:
            OSError: a file cannot be moved or opened; the present one stays in use.
        """
        for number in range(keep - 1, 0, -1):
            older = numbered(self.path, number)
            if older.exists():
                older.replace(numbered(self.path, number + 1))
        self.path.replace(numbered(self.path, 1))
        try:
            new = open_file(self.path)
        except OSError:
            numbered(self.path, 1).replace(self.path)
            raise
        old, self._descriptor, self._known = self._descriptor, new, 0
        try:
            _flock(new, fcntl.LOCK_EX)
        finally:
            os.close(old)

    def follow(self) -> bool:
        """Take the file that bears the name, when it is another by now; says whether it was."""
        with suppress(FileNotFoundError):
            mine, there = os.fstat(self._descriptor), self.path.lstat()
            if (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino):
                return False
        new = open_file(self.path)
        os.close(self._descriptor)
        self._descriptor, self._known = new, _UNKNOWN
        return True

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)
        if self._head is not None:
            os.close(self._head)

    def _lock(self) -> bool:
        try:
            _flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _whole(self, made: Sequence[bytes], size: int, begin: int, written: int) -> int:
        """How many lines are in the file; what is there of another is taken back."""
        self._known = size + written
        place = begin
        for taken, text in enumerate(made):
            if place + len(text) > written:
                self._known = size + place if taken else size
                os.ftruncate(self._descriptor, self._known)
                return taken
            place += len(text)
        return len(made)

    def _resume(self, size: int) -> None:
        """Find out where the chain ends: in the file, in the one before, or where the head says."""
        tail = tail_of(self._descriptor, size)
        end, head = tail.end or self._before(tail), self._read_head()
        # A head that names more than there is, or another last line: the next line shows what is missing.
        ahead = head is not None and (head.sequence > end.sequence or (head.sequence == end.sequence != 0))
        self.lacking = max(0, head.sequence - end.sequence) if head is not None else 0
        self._end = head if ahead and head is not None else end
        self._torn = tail.torn
        self._known = size

    def _before(self, tail: Tail) -> ChainEnd:
        """The end of the chain when the file has no line of it."""
        try:
            older = os.open(numbered(self.path, 1), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return ChainEnd(0, _digest_of_last(tail))
        try:
            before = tail_of(older, os.fstat(older).st_size)
        finally:
            os.close(older)
        return before.end or ChainEnd(0, _digest_of_last(tail if tail.last else before))

    def _read_head(self) -> ChainEnd | None:
        with suppress(OSError):
            return read_head(head_of(self.path).read_bytes())
        return None

    def _write_head(self) -> None:
        # A head that cannot be written is one that lags: the lines themselves are there.
        with suppress(OSError):
            if self._head is None:
                self._head = os.open(head_of(self.path), _HEAD_FLAGS, 0o600)
            os.pwrite(self._head, head_text(self._end), 0)


@dataclass(frozen=True, slots=True)
class FileThen:
    """A file of a log as it was at one moment: its name, itself opened for reading, and its size in bytes then."""

    name: str
    opened: BufferedReader
    size: int


def snapshot(path: Path, opened: ExitStack, seconds: float) -> tuple[list[FileThen], ChainEnd | None]:
    """The files of a log, oldest first, and its head, of one moment; writers wait only until they are open.

    Args:
        path: the newest file.
        opened: closes them.
        seconds: how long other processes may hold the lock.

    Raises:
        OSError: there is no such log, it cannot be opened, or its lock is held for longer.
    """
    path.lstat()
    log = AuditFile(path)
    opened.callback(log.close)
    with log.held_by_name(seconds) as mine:
        if not mine:
            raise BlockingIOError(errno.EAGAIN, "another process holds its lock")
        older = sorted(_numbers(path), reverse=True)
        places = [*(numbered(path, number) for number in older), path]
        files = [opened.enter_context(place.open("rb")) for place in places]
        head = head_of(path).read_bytes() if head_of(path).is_file() else b""
        sizes = [os.fstat(file.fileno()).st_size for file in files]
    return [
        FileThen(place.name, file, size) for place, file, size in zip(places, files, sizes, strict=True)
    ], read_head(head)


def _numbers(path: Path) -> list[int]:
    names = [other.name.removeprefix(f"{path.name}.") for other in path.parent.glob(f"{path.name}.*")]
    return [int(name) for name in names if name.isascii() and name.isdigit()]


def open_file(path: Path) -> int:
    """A descriptor that appends to an audit log; creates the folder and the file, for their owner only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, _FLAGS, 0o600)


def numbered(path: Path, number: int) -> Path:
    """An older file of the log; 1 is the newest."""
    return path.with_name(f"{path.name}.{number}")


def head_of(path: Path) -> Path:
    """The head file of a log."""
    return path.with_name(f"{path.name}{HEAD_SUFFIX}")


def _flock(descriptor: int, operation: int) -> None:
    try:
        fcntl.flock(descriptor, operation)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def _digest_of_last(tail: Tail) -> str:
    return digest_of(tail.last) if tail.last else ""
