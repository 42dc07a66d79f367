"""What a path or standard input is: a layout in a folder, a tar of one, or an archive of `docker save`."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from isal import igzip_lib

from registry.config.transfer import TransferSettings
from registry.transfer.contents import Source
from registry.transfer.docker_archive import EARLIER_MARK, DockerArchiveSource
from registry.transfer.docker_archive import MARK as DOCKER_MARK
from registry.transfer.errors import SourceUnusable
from registry.transfer.files import PIECE, FolderFiles, TarFiles
from registry.transfer.layout import INDEX, LayoutSource
from registry.transfer.layout import MARK as LAYOUT_MARK

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_ISAL: Any = igzip_lib.error
_DAMAGE: tuple[type[Exception], ...] = (_ISAL, zstd.ZstdError, EOFError)
_ROOM = 256 << 20
"""Bytes that stay free on the disk of temporary files."""


def open_path(path: Path, limits: TransferSettings) -> Source:
    """The source at a path (blocking). Raises SourceUnusable."""
    if path.is_dir():
        return _layout_in(path, limits)
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC), "rb", buffering=0)
    except OSError as error:
        raise SourceUnusable(f"{path} cannot be read: {error.strerror}") from None
    return open_stream(file, limits)


def open_stream(file: BinaryIO | Any, limits: TransferSettings) -> Source:
    """The source that a file, or a pipe, holds (blocking); the file is taken over.

    What is compressed, or cannot be read twice, is kept in a nameless temporary file, which ends with the process.

    Raises:
        SourceUnusable: it is neither a layout nor an archive, is damaged, or larger than the limit.
    """
    first = file.read(PIECE)
    compressed = first.startswith((_GZIP, _ZSTD))
    if compressed or not file.seekable():
        with file:
            file = _kept(_plain(first, file) if compressed else _rest(first, file), limits.archive_bytes)
    try:
        return _source(TarFiles(file, limits), limits)
    except BaseException:
        file.close()
        raise


def _source(files: TarFiles, limits: TransferSettings) -> Source:
    if files.size(LAYOUT_MARK) is not None and files.size(INDEX) is not None:
        return LayoutSource(files, limits)
    if files.size(DOCKER_MARK) is not None:
        return DockerArchiveSource(files, limits)
    if files.size(EARLIER_MARK) is not None:
        raise SourceUnusable(
            "the archive is of a docker before 1.10, which named no content: load it, and save it with a newer one"
        )
    raise SourceUnusable(
        f"the archive has neither {LAYOUT_MARK} and {INDEX} (an OCI layout) nor {DOCKER_MARK} (docker save)"
    )


def _layout_in(folder: Path, limits: TransferSettings) -> Source:
    files = FolderFiles(folder)
    if files.size(INDEX) is None or files.size(LAYOUT_MARK) is None:
        raise SourceUnusable(f"{folder} is no OCI layout: needs a folder with {LAYOUT_MARK}, {INDEX} and blobs")
    return LayoutSource(files, limits)


def _rest(first: bytes, file: BinaryIO) -> Iterator[bytes]:
    piece = first
    while piece:
        yield piece
        piece = file.read(PIECE)


def _plain(first: bytes, file: BinaryIO) -> Iterator[bytes]:
    """What a gzip or zstd stream holds, in pieces of at most 1 MiB; several members or frames are one."""
    make: Callable[[], Any] = zstd.ZstdDecompressor
    if first.startswith(_GZIP):

        def make() -> Any:
            return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)

    piece = first
    while piece.strip(b"\0"):
        decoder = make()
        while not decoder.eof:
            if decoder.needs_input and not piece and not (piece := file.read(PIECE)):
                raise SourceUnusable("the compressed archive ends early: get it again, whole")
            try:
                yield decoder.decompress(piece, PIECE)
            except _DAMAGE as error:
                raise SourceUnusable(f"the compressed archive is damaged: {error}") from None
            piece = b""
        piece = decoder.unused_data or file.read(PIECE)


def _kept(pieces: Iterator[bytes], most: int) -> BinaryIO:
    kept = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - handed on
    try:
        size = 0
        for piece in pieces:
            size += len(piece)
            _require_room(kept, size, most, len(piece))
            _write(kept, piece)
    except OSError as error:
        kept.close()
        raise SourceUnusable(f"the archive cannot be kept in {tempfile.gettempdir()}: {error.strerror}") from None
    except BaseException:
        kept.close()
        raise
    return kept


def _write(kept: Any, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[kept.write(view) :]


def _require_room(kept: Any, size: int, most: int, fresh: int) -> None:
    """Raise SourceUnusable past a limit, or when the disk has little room left; the disk is asked every 64 MiB."""
    if size > most:
        raise SourceUnusable(f"the archive is larger than {most} bytes (transfer.archive_bytes)")
    if size % (64 * PIECE) >= fresh:
        return
    room = os.fstatvfs(kept.fileno())
    if room.f_bavail * room.f_frsize < _ROOM:
        folder = tempfile.gettempdir()
        raise SourceUnusable(f"the archive needs more room than {folder} has: set TMPDIR, or give a path")
