"""The chain of the audit log: each line carries its number, and the hash of the line before it.

A line of the chain ends with the members `sequence` (1 for the first line of a log) and `previous` (SHA-256 of the line
before, in hexadecimal and without its line end; "" when there was none). Lines of before the chain have neither.
The head file beside the log has number and hash of its last line, so that lines cut off at the end are missed.
"""

import hashlib
import os
import re
from dataclasses import dataclass

_MEMBERS = re.compile(rb',"sequence":([0-9]{1,18}),"previous":"([0-9a-f]{64}|)"\}$')
_HEAD = re.compile(rb'\{"sequence":([0-9]{1,18}),"hash":"([0-9a-f]{64})"\} *\n?')
_WORDS = re.compile("([0-9]{1,18}):([0-9a-f]{64})")
_HEAD_BYTES = 128
_WINDOW = 64 << 10
_TAIL_MAXIMUM = 4 << 20


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """What the next line is chained to.

    Attributes:
        sequence: number of the last line; 0 before the first.
        digest: its SHA-256 in hexadecimal; before the first line, that of the last line of before the chain, or "".
    """

    sequence: int
    digest: str

    def __str__(self) -> str:
        return f"{self.sequence}:{self.digest}"


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a file.

    Attributes:
        end: its last line of the chain, `None` without one.
        last: its last line, of the chain or not; empty when the file is.
        torn: whether that line has no end.
    """

    end: ChainEnd | None
    last: bytes
    torn: bool


def chained(line: bytes, after: ChainEnd) -> tuple[bytes, ChainEnd]:
    """A line (a JSON object, without its line end) with the two members, and the end that it makes."""
    number = after.sequence + 1
    made = b'%s,"sequence":%d,"previous":"%s"}' % (line[:-1], number, after.digest.encode())
    return made, ChainEnd(number, digest_of(made))


def digest_of(line: bytes) -> str:
    """The hash that the next line carries."""
    return hashlib.sha256(line).hexdigest()


def members_of(line: bytes) -> tuple[int, str] | None:
    """`sequence` and `previous` of a line; `None` when it is not of the chain."""
    found = _MEMBERS.search(line)
    return None if found is None else (int(found[1]), found[2].decode())


def head_text(end: ChainEnd) -> bytes:
    """The content of a head file, always of one length: it is written over the one before."""
    return (b'{"sequence":%d,"hash":"%s"}' % (end.sequence, end.digest.encode())).ljust(_HEAD_BYTES - 1) + b"\n"


def read_head(text: bytes) -> ChainEnd | None:
    """The end that a head file names; `None` when it cannot be read."""
    found = _HEAD.fullmatch(text)
    return None if found is None else ChainEnd(int(found[1]), found[2].decode())


def end_in_words(words: str) -> ChainEnd | None:
    """The end that NUMBER:HASH means; `None` for anything else."""
    found = _WORDS.fullmatch(words)
    return None if found is None else ChainEnd(int(found[1]), found[2])


def tail_of(descriptor: int, size: int) -> Tail:
    """The end of a file of `size` bytes; of a line of the chain further than 4 MiB from it nothing is known."""
    text = b""
    while len(text) < min(size, _TAIL_MAXIMUM):
        begin = max(0, size - len(text) - _WINDOW)
        text = os.pread(descriptor, size - len(text) - begin, begin) + text
        # The first line may be half of one, unless the file begins with it.
        lines = text.splitlines()[0 if begin == 0 else 1 :]
        for line in reversed(lines):
            members = members_of(line)
            if members is not None:
                return Tail(ChainEnd(members[0], digest_of(line)), lines[-1], not text.endswith(b"\n"))
    lines = text.splitlines()
    return Tail(None, lines[-1] if lines else b"", bool(text) and not text.endswith(b"\n"))
