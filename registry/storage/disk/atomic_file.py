"""Small files that are replaced as a whole, durably."""

import os
from pathlib import Path

from registry.storage.disk.fsync import sync_directory


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file beside, sync it, give it its name, sync the folder (blocking)."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)
