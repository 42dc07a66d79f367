"""Small files that are written as a whole: whoever reads one finds all of it, or what was there before."""

import os
from contextlib import suppress
from pathlib import Path

from registry.storage.disk.fsync import sync_directory


def replace_file(
    path: Path, content: bytes, mode: int = 0o600, *, durable: bool = True, draft: Path | None = None
) -> None:
    """Write a file beside and give it its name (blocking).

    Args:
        path: the file.
        content: all its bytes.
        mode: of the file from its first byte on, less what the umask takes.
        durable: whether it survives a power failure from here on. Otherwise only a process that is killed.
        draft: what the file beside is called, where somebody has to find what a killed process leaves.

    Raises:
        OSError: the disk refuses; the file is as it was.
    """
    beside = draft or _draft_of(path)
    try:
        _write(beside, content, mode, durable=durable)
        if durable:
            put_in_place(beside, path)
        else:
            beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def create_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file unless there is one; when another process is first, its file counts (blocking)."""
    beside = _draft_of(path)
    try:
        _write(beside, content, mode, durable=True)
        with suppress(FileExistsError):
            os.link(beside, path)
            sync_directory(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def put_in_place(draft: Path, path: Path) -> None:
    """Give a file that is durable its name, durably, in the place of any that has it (blocking)."""
    draft.replace(path)
    sync_directory(path.parent)


def _draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")


def _write(draft: Path, content: bytes, mode: int, *, durable: bool) -> None:
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        if durable:
            os.fsync(file.fileno())
