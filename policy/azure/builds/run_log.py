"""The log of a run: a file that grows while clients read it. Lines end in CR LF: az prints up to the last one."""

from collections.abc import Collection, Iterable
from pathlib import Path

_LINE_MAXIMUM = 8192
_HIDDEN = b"***"
_SHORTEST_SECRET = 3


def lines_to_hide(secrets: Iterable[str]) -> list[str]:
    """The lines of secrets that are not shown, longest first; those of one or two letters are no secret."""
    lines = {line for text in secrets for line in text.splitlines() if len(line) >= _SHORTEST_SECRET}
    return sorted(lines, key=len, reverse=True)


class LogFull(Exception):
    """What a build prints does not fit."""


class RunLog:
    """Appends to the file; closed at the end.

    Args:
        path: the file, which is begun anew.
        most: bytes it may have.
        secrets: texts that are not shown.
    """

    def __init__(self, path: Path, most: int, secrets: Collection[str]) -> None:
        self._file = path.open("wb", buffering=0)
        self._left = most
        self._secrets = [line.encode() for line in lines_to_hide(secrets)]
        self._part = b""

    def say(self, line: str) -> None:
        """A line of our own; it is written however full the log is."""
        self._end_part()
        self._file.write(self._shown(line.encode("utf-8", "replace")) + b"\r\n")

    def add(self, piece: bytes) -> None:
        """What the build printed.

        Raises:
            LogFull: the log has as many bytes as it may.
        """
        *lines, self._part = (self._part + piece).replace(b"\r\n", b"\n").split(b"\n")
        text = self._shown(b"\n".join(lines)).replace(b"\n", b"\r\n") + b"\r\n" if lines else b""
        while len(self._part) > _LINE_MAXIMUM:  # a line that does not end
            text += self._shown(self._part[:_LINE_MAXIMUM]) + b"\r\n"
            self._part = self._part[_LINE_MAXIMUM:]
        if len(text) > self._left:
            self._file.write(text[: self._left] + b"\r\n")
            self._left, self._part = 0, b""
            raise LogFull
        self._file.write(text)
        self._left -= len(text)

    def close(self) -> None:
        """Nothing more comes."""
        self._end_part()
        self._file.close()

    def _end_part(self) -> None:
        if self._part:
            part, self._part = self._part, b""
            self._file.write(self._shown(part) + b"\r\n")

    def _shown(self, line: bytes) -> bytes:
        for secret in self._secrets:
            line = line.replace(secret, _HIDDEN)
        return line.replace(b"\r", b" ")
