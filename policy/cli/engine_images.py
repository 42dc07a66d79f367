"""Images of the local docker or podman, as the archives that their `save` writes to a pipe."""

import subprocess
import tempfile
from collections.abc import Mapping
from typing import BinaryIO

from registry.config.transfer import TransferSettings
from registry.transfer.contents import Source
from registry.transfer.errors import SourceUnusable
from registry.transfer.opening import open_stream

ENGINES: Mapping[str, str] = {"docker:": "docker", "podman:": "podman"}
"""The programs by what stands before the name of an image."""
_TOLD_BYTES = 300
_END_SECONDS = 10


def engine_of(text: str) -> tuple[str, str] | None:
    """The program and the image that `docker:NAME` and `podman:NAME` mean; `None`: it is no such text."""
    scheme, colon, name = text.partition(":")
    program = ENGINES.get(scheme + colon)
    return None if program is None or not name else (program, name)


def open_saved(program: str, name: str, limits: TransferSettings) -> Source:
    """The archive of an image, kept in a nameless temporary file (blocking).

    Args:
        program: `docker` or `podman`.
        name: of the image, or its ID.
        limits: of what is read.

    Raises:
        SourceUnusable: the program is not there, does not give the image, or gives more than the limits allow.
    """
    with tempfile.TemporaryFile() as told:
        try:
            process = subprocess.Popen(  # noqa: S603 - the name stands behind `--`
                [program, "save", "--", name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=told, bufsize=0
            )
        except OSError as error:
            raise SourceUnusable(f"{program} cannot be run to get {name[:255]!r}: {error.strerror}") from None
        try:
            source = open_stream(process.stdout, limits)
        except SourceUnusable as error:
            raise _refusal(process, told, program, name) or error from None
        finally:
            _end(process)
        refused = _refusal(process, told, program, name)
        if refused is not None:
            raise refused
        return source


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Wait for a program whose output is read, or was given up: it ends by the closed pipe then."""
    if process.stdout is not None:
        process.stdout.close()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _refusal(process: "subprocess.Popen[bytes]", told: BinaryIO, program: str, name: str) -> SourceUnusable | None:
    """What to tell when the program failed."""
    _end(process)
    if process.returncode <= 0:  # by a signal: the pipe was closed, because too much came
        return None
    told.seek(0)
    words = " ".join(told.read(_TOLD_BYTES).decode("utf-8", "replace").split())
    return SourceUnusable(f"{program} does not give {name[:255]!r}: {words or f'exit code {process.returncode}'}")
