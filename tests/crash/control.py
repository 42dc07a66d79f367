"""The control file of the preloaded library, mapped: which call of a process is hit, and how (see faults.c)."""

import ctypes
import mmap
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from pathlib import Path


class Act(IntEnum):
    """What happens to a call."""

    NOTHING = 0
    KILL_BEFORE = 1
    KILL_MIDDLE = 2
    KILL_AFTER = 3
    REFUSE = 4
    SHORT = 5
    LIE = 6


class Calls(IntFlag):
    """Kinds of calls on files."""

    OPEN = 1
    CREATE = 2
    WRITE = 4
    SYNC = 8
    NAME = 16
    SIZE = 32
    READ = 64
    CHANGES = CREATE | WRITE | SYNC | NAME | SIZE


FOR_LONG = 1 << 40


@dataclass(frozen=True)
class Fault:
    """What is to happen at which calls.

    Attributes:
        act: what.
        at: the number of the first call that is hit, from 1.
        times: how many calls from there on.
        calls: the kinds that count.
        error: errno of a refusal.
        part: of the paths that count; empty: all.
    """

    act: Act = Act.NOTHING
    at: int = 0
    times: int = 1
    calls: Calls = Calls.CHANGES
    error: int = 0
    part: str = ""


class _Structure(ctypes.Structure):
    _fields_ = (
        *(
            (name, ctypes.c_int64)
            for name in ("calls", "at", "times", "act", "error", "kinds", "hit", "clock", "noting")
        ),
        ("part", ctypes.c_char * 192),
    )


class Control:
    """One control file. `path` and `notes` are for the processes that take part."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes = Path(f"{path}.notes")
        path.write_bytes(bytes(ctypes.sizeof(_Structure)))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._structure = _Structure.from_buffer(self._map)

    def arm(self, fault: Fault) -> None:
        """Count from zero, and have it happen."""
        found = self._structure
        found.at = 0
        found.calls, found.hit = 0, 0
        found.times, found.act, found.error, found.kinds = fault.times, fault.act, fault.error, fault.calls
        found.part = fault.part.encode()
        found.at = fault.at

    def note(self, *, on: bool) -> None:
        """Note changes from now on, from an empty file; or no more."""
        self._structure.noting = int(on)
        self.notes.write_bytes(b"")

    def move_clock(self, seconds: float) -> None:
        """Let the processes think that it is later; with a negative number, earlier."""
        self._structure.clock = int(seconds * 1_000_000_000)

    @property
    def calls(self) -> int:
        """How many were counted since it was armed."""
        return int(self._structure.calls)

    @property
    def hit(self) -> int:
        """How many of them were hit."""
        return int(self._structure.hit)
