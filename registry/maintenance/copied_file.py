"""Links or copies a blob's file to another folder, verifying its digest."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from registry.oci.digest import Digest, new_hasher
from registry.storage.disk.reading import PIECE, hash_file, open_blob

_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}


def take_blob(source: Path, target: Path, digest: Digest, *, linked: bool) -> bool:
    """Link or copy a blob's file; `False` when the source is missing or has another digest.

    Args:
        source: the file.
        target: the new path, which must not exist; its folder is created.
        digest: of the bytes.
        linked: whether to make a hard link, where possible.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        sound = (linked and _link(source, draft, digest)) or _copy(source, draft, digest)
        if sound:
            draft.replace(target)
    except FileNotFoundError:
        return False
    else:
        return sound
    finally:
        draft.unlink(missing_ok=True)


def _link(source: Path, draft: Path, digest: Digest) -> bool:
    try:
        os.link(source, draft, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    hashed = hash_file(draft, digest.algorithm)
    sound = hashed is not None and hashed[0] == digest.encoded
    if not sound:
        draft.unlink()
    return sound


def _copy(source: Path, draft: Path, digest: Digest) -> bool:
    hasher = new_hasher(digest.algorithm)
    with open_blob(source) as file:
        times = os.fstat(file.fileno())
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
        try:
            while piece := file.read(PIECE):
                hasher.update(piece)
                _write(descriptor, piece)
            os.utime(descriptor, ns=(times.st_atime_ns, times.st_mtime_ns))
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
    return hasher.hexdigest() == digest.encoded


def write_blob(target: Path, content: bytes) -> None:
    """Write a blob's file from verified bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
        try:
            _write(descriptor, content)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)


def _write(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
