"""The audit log, checked: whether each line is the one that the next was chained to, and none is missing.

The files are read as they were at one moment, beside a running server. A chain shows what was done to a part of it.
Whoever can write the files can make all of it anew, or cut off the end and put the head right: against that, keep the
head that a check tells somewhere else, and give it to a later one.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from registry.errors import BasegateError
from registry.telemetry.audit_chain import ChainEnd, digest_of, members_of
from registry.telemetry.audit_file import FileThen, head_of, snapshot

_SECONDS = 10.0
_WHAT_TO_DO = "name the data folder with --data, and its settings with --config"


class NoAuditLog(BasegateError):
    """There is no audit log, or it cannot be read."""


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """Something that is not as it was written.

    Attributes:
        kind: changed, missing, moved, doubled, foreign, torn, cut or head.
        file: name of the file; "" when it is of none.
        line: number of the line in the file, from 1; of `missing`, the line behind the gap.
        message: a sentence.
    """

    kind: str
    file: str
    line: int
    message: str


@dataclass(slots=True)
class AuditReport:
    """What a log is found to be.

    Attributes:
        files: their names, oldest first.
        lines: of the chain.
        before: lines of before the chain.
        begins: file and line of the first of the chain, `None` without a chain.
        first: its number; above 1 when older lines are not kept.
        head: the end of the chain.
        findings: in the order of the files.
    """

    files: list[str] = field(default_factory=list)
    lines: int = 0
    before: int = 0
    begins: tuple[str, int] | None = None
    first: int = 0
    head: ChainEnd | None = None
    findings: list[AuditFinding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Line:
    file: str
    line: int
    sequence: int
    previous: str
    digest: str


def check_audit_log(path: Path, known: Sequence[ChainEnd] = ()) -> AuditReport:
    """Read a whole log (blocking).

    Args:
        path: the newest file.
        known: ends that the chain had before.

    Raises:
        NoAuditLog: there is none, or it cannot be read.
    """
    with ExitStack() as opened:
        try:
            files, head = snapshot(path, opened, _SECONDS)
        except OSError as error:
            raise NoAuditLog(f"the audit log {path} cannot be read: {error.strerror}: {_WHAT_TO_DO}") from error
        walk = _Walk([*known, *([] if head is None else [head])])
        for file in files:
            walk.report.files.append(file.name)
            for number, text, is_whole in _lines(file):
                walk.take(file.name, number, text, is_whole=is_whole)
        walk.end(head, known, head_of(path).name)
        return walk.report


def _lines(file: FileThen) -> Iterator[tuple[int, bytes, bool]]:
    """Number, text and whether it has an end, of each line that the file had."""
    left = file.size
    for number, line in enumerate(file.opened, start=1):
        text = line[:left]
        left -= len(text)
        if text:
            yield number, text.removesuffix(b"\n"), text.endswith(b"\n")
        if left <= 0:
            return


class _Walk:
    """Goes through the lines in the order of the files."""

    def __init__(self, known: Sequence[ChainEnd]) -> None:
        self.report = AuditReport()
        self._known: dict[int, set[str]] = {}
        for end in known:
            self._known.setdefault(end.sequence, set()).add(end.digest)
        self._last: _Line | None = None
        self._highest: _Line | None = None
        self._old: tuple[str, int, str] | None = None
        # Only beside gaps and lines out of their place: of each other line the next one tells.
        self._beside: dict[int, _Line] = {}
        self._told: set[_Line] = set()
        self._gaps: list[tuple[int, int, str, int]] = []

    def take(self, file: str, number: int, text: bytes, *, is_whole: bool) -> None:
        """Look at the next line."""
        members = members_of(text) if is_whole else None
        if members is None:
            self._outside(file, number, text, is_whole=is_whole)
            return
        line = _Line(file, number, *members, digest_of(text))
        self.report.lines += 1
        if self._last is None:
            self._begin(line)
        else:
            self._follow(self._last, line)
        if line.digest not in self._known.get(line.sequence, {line.digest}):
            self._changed(line)
        self._last = line
        if self._highest is None or line.sequence > self._highest.sequence:
            self._highest = line

    def end(self, head: ChainEnd | None, known: Sequence[ChainEnd], head_name: str) -> None:
        """Look at what only the end tells: gaps, and the end itself."""
        self._compare_beside()
        for first, last, file, number in self._gaps:
            self._find("missing", file, number, f"{_numbered(first, last)} missing before it")
        last_line = self._highest
        if last_line is not None:
            self.report.head = ChainEnd(last_line.sequence, last_line.digest)
            if head is None:
                self._find("head", "", 0, f"{head_name} is missing or damaged: lines cut off at the end are not missed")
        there = last_line.sequence if last_line else 0
        ends = sorted([*known, *([] if head is None else [head])], key=lambda end: end.sequence)
        for end in ends:
            if end.sequence > there:
                place = (last_line.file, last_line.line) if last_line else ("", 0)
                self._find("cut", *place, f"{_numbered(there + 1, end.sequence)} missing after it")
                there = end.sequence

    def _begin(self, line: _Line) -> None:
        self.report.begins, self.report.first = (line.file, line.line), line.sequence
        if self._old is None:
            return
        file, number, digest = self._old
        if line.sequence > 1:
            self._find("foreign", file, number, "it stands before a line of the chain, and is not of it")
            self._gaps.append((1, line.sequence - 1, line.file, line.line))
        elif line.previous != digest:
            self._find("changed", file, number, "it is not the line that the chain begins after")

    def _follow(self, last: _Line, line: _Line) -> None:
        highest = self._highest or last
        if line.sequence == last.sequence + 1:
            if line.previous != last.digest:
                self._changed(last)
            if last is highest:
                return
        self._beside[last.sequence] = last
        if line.sequence <= highest.sequence:
            self._late(line)
        elif line.sequence > highest.sequence + 1:
            self._gaps.append((highest.sequence + 1, line.sequence - 1, line.file, line.line))
        self._beside.setdefault(line.sequence, line)

    def _late(self, line: _Line) -> None:
        """A line that is behind one with a higher number: out of its place, or there twice."""
        at = bisect_right(self._gaps, line.sequence, key=lambda gap: gap[0]) - 1
        if at >= 0 and line.sequence <= self._gaps[at][1]:
            first, last, file, number = self._gaps[at]
            parts = [(first, line.sequence - 1, file, number), (line.sequence + 1, last, file, number)]
            self._gaps[at : at + 1] = [part for part in parts if part[0] <= part[1]]
            self._find("moved", line.file, line.line, f"it is line {line.sequence} of the chain, out of its place")
        else:
            self._find("doubled", line.file, line.line, f"another line is number {line.sequence} of the chain as well")

    def _compare_beside(self) -> None:
        for sequence, line in sorted(self._beside.items()):
            after = self._beside.get(sequence + 1)
            if after is not None and after.previous != line.digest:
                self._changed(line)

    def _outside(self, file: str, number: int, text: bytes, *, is_whole: bool) -> None:
        if self._last is None:
            self.report.before += 1
            self._old = (file, number, digest_of(text))
        elif is_whole and text.endswith(b"}"):
            self._find("foreign", file, number, "it is not of the chain: an older basegate or somebody else wrote it")
        else:
            self._find("torn", file, number, "it is no whole line: what wrote it was stopped, or somebody changed it")

    def _changed(self, line: _Line) -> None:
        message = f"it is not the line that was written as line {line.sequence} of the chain"
        if line not in self._told:
            self._told.add(line)
            self._find("changed", line.file, line.line, message)

    def _find(self, kind: str, file: str, number: int, message: str) -> None:
        self.report.findings.append(AuditFinding(kind, file, number, message))


def _numbered(first: int, last: int) -> str:
    if first == last:
        return f"line {first} of the chain is"
    return f"lines {first} to {last} of the chain, {last - first + 1} of them, are"
