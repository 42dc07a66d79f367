"""Directory syncs: shared by those who come together, never skipped for those who come late."""

import errno
import os
import platform
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.storage.disk.fsync import DirectorySyncs, early_writeback, file_system_sync


class SlowSync:
    """Holds every fsync until it is let go, and counts them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.began = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)
        real: Callable[[int], None] = os.fsync

        def slow(descriptor: int) -> None:
            self.count += 1
            self.began.release()
            self.go_on.acquire()
            real(descriptor)

        patch.setattr(os, "fsync", slow)


def test_those_who_come_during_a_sync_share_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is under way, five come: one more sync serves them all, and none returns before it."""
    slow, syncs = SlowSync(monkeypatch), DirectorySyncs()
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(syncs.sync, tmp_path)
        slow.began.acquire()
        late = [pool.submit(syncs.sync, tmp_path) for _ in range(5)]
        while syncs.waiting(tmp_path) < 6:
            pass
        slow.go_on.release()
        slow.began.acquire()
        assert [one.done() for one in late] == [False] * 5
        slow.go_on.release()
        for one in [first, *late]:
            one.result(timeout=30)
    assert slow.count == 2


def test_a_failed_sync_fails_its_caller_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next caller tries for itself."""
    syncs = DirectorySyncs()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _refuse)
        with pytest.raises(OSError, match="Input/output error"):
            syncs.sync(tmp_path)
    syncs.sync(tmp_path)


def _refuse(descriptor: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_nothing_is_remembered_of_folders_at_rest(tmp_path: Path) -> None:
    """Memory does not grow with the number of folders."""
    syncs = DirectorySyncs()
    for number in range(10):
        (tmp_path / str(number)).mkdir()
        syncs.sync(tmp_path / str(number))
    assert [syncs.waiting(tmp_path / str(number)) for number in range(10)] == [0] * 10


def test_early_writeback_is_a_hint(tmp_path: Path) -> None:
    """It changes nothing, and a closed file does not make it fail."""
    with (tmp_path / "file").open("wb") as file:
        file.write(b"x" * 10_000)
        file.flush()
        early_writeback()(file.fileno(), 0, 10_000)
    early_writeback()(10_000, 0, 1)
    assert (tmp_path / "file").read_bytes() == b"x" * 10_000


def test_a_whole_file_system_is_synced_where_that_can_be_relied_upon(tmp_path: Path) -> None:
    """It returns; whether the disk has everything then only a power failure would show."""
    sync = file_system_sync(tmp_path)
    assert sync is None or sync() is None


def test_a_file_system_that_is_not_known_is_not_synced_as_a_whole() -> None:
    """syncfs(2) succeeds on some that leave the bytes with a server: /proc stands for these."""
    assert file_system_sync(Path("/proc")) is None


@pytest.mark.parametrize(
    ("system", "release"), [("Linux", "5.7.19-generic"), ("Linux", "4.18.0"), ("Darwin", "23.1.0")]
)
def test_an_older_kernel_does_not_tell_of_failures(monkeypatch: pytest.MonkeyPatch, system: str, release: str) -> None:
    """So it is not asked."""
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "release", lambda: release)
    assert file_system_sync(Path("/tmp")) is None  # noqa: S108
