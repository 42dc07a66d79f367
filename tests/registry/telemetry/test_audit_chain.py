"""The chain of the audit log holds whoever writes, and through whatever happens to the file."""

import errno
import fcntl
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from registry.config.access import AuditSettings
from registry.maintenance.audit_check import AuditReport, check_audit_log
from registry.telemetry.audit import AuditLog, append_lines, command_line_of
from registry.telemetry.audit_file import AuditFile, head_of

ANOTHER_PROCESS = """
import sys
from pathlib import Path
from registry.telemetry.audit import append_lines, command_line_of
from registry.telemetry.audit_file import AuditFile
for number in range(int(sys.argv[2])):
    assert append_lines(AuditFile(Path(sys.argv[1])), [command_line_of("act", 0, "", {"detail": str(number)})])
"""

UNTIL_KILLED = """
import sys
from pathlib import Path
from registry.config.access import AuditSettings
from registry.telemetry.audit import AuditLog
settings = AuditSettings(rotate_bytes=4096, keep_files=1000)
log = AuditLog(Path(sys.argv[1]), lambda: settings)
while True:
    log.record({"action": "act"})
    sys.stdout.write("x")
    sys.stdout.flush()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log is."""
    return tmp_path / "audit.log"


@contextmanager
def opened(path: Path, **settings: Any) -> Iterator[AuditLog]:
    """The log of a server, closed at the end."""
    made = AuditSettings(**settings)
    log = AuditLog(path, lambda: made)
    try:
        yield log
    finally:
        log.close()


def write(log: AuditLog, count: int, text: str = "") -> None:
    """Have a server write lines."""
    for number in range(count):
        log.record({"action": "act", "number": number, "text": text})


def by_command(path: Path) -> None:
    """What a command appends."""
    assert append_lines(AuditFile(path), [command_line_of("act", 0, "", {})])


def found(path: Path) -> list[tuple[str, int]]:
    """What a check finds: kind and line."""
    return [(item.kind, item.line) for item in check_audit_log(path).findings]


def whole(path: Path) -> AuditReport:
    """The report of a log in which each line is as it was written."""
    report = check_audit_log(path)
    assert report.findings == []
    return report


def sequences(path: Path) -> list[int]:
    """The numbers in the newest file."""
    return [json.loads(line)["sequence"] for line in path.read_text().splitlines()]


def test_lines_are_numbered_and_chained(path: Path) -> None:
    """From 1 on, through a restart, by servers and commands."""
    for _ in range(2):
        with opened(path) as log:
            write(log, 2)
            by_command(path)
            write(log, 1)
    assert sequences(path) == list(range(1, 9))
    assert (whole(path).lines, whole(path).begins) == (8, ("audit.log", 1))


def test_the_chain_goes_through_rotations(path: Path) -> None:
    """What is not kept any more is told."""
    with opened(path, rotate_bytes=4096, keep_files=2) as log:
        write(log, 300)
    report = whole(path)
    assert report.files == ["audit.log.2", "audit.log.1", "audit.log"]
    assert (report.first + report.lines, report.first > 1) == (301, True)


def test_processes_write_one_chain(path: Path) -> None:
    """A server that rotates, and three processes of commands."""
    arguments = [sys.executable, "-c", ANOTHER_PROCESS, str(path), "60"]
    with opened(path, rotate_bytes=20_000, keep_files=99) as log:
        others = [subprocess.Popen(arguments) for _ in range(3)]
        while any(other.poll() is None for other in others):
            write(log, 3)
            log.notice()
    assert [other.returncode for other in others] == [0, 0, 0]
    assert whole(path).lines >= 180


def test_a_writer_that_is_killed_leaves_a_whole_chain(path: Path) -> None:
    """Wherever it was: between lines and head, or while it rotated; each line that it has told of is there."""
    told = 0
    for count in range(100, 900, 100):
        writer = subprocess.Popen([sys.executable, "-c", UNTIL_KILLED, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        told += len(writer.stdout.read(count))
        writer.kill()
        told += len(writer.communicate()[0])
    by_command(path)
    assert whole(path).lines > told


def test_a_command_follows_a_rotation(path: Path) -> None:
    """It has opened the log before its change, and writes after it."""
    command = AuditFile(path)
    with opened(path, rotate_bytes=4096) as log:
        write(log, 50)
        assert append_lines(command, [command_line_of("late", 0, "", {})])
        write(log, 1)
    assert '"late"' in path.read_text()
    whole(path)


def test_a_line_that_a_crash_has_torn_is_told_and_gone_on_after(path: Path) -> None:
    """The next line begins on a line of its own, and belongs to the last whole one."""
    with opened(path) as log:
        write(log, 3)
    with path.open("ab") as file:
        file.write(b'{"action":"ac')
    with opened(path) as log:
        write(log, 2)
    assert found(path) == [("torn", 4)]
    assert check_audit_log(path).lines == 5


def test_a_head_that_lags_is_no_finding(path: Path) -> None:
    """A process was killed between line and head."""
    with opened(path) as log:
        write(log, 2)
        before = head_of(path).read_bytes()
        write(log, 3)
    head_of(path).write_bytes(before)
    whole(path)
    by_command(path)
    assert sequences(path) == [1, 2, 3, 4, 5, 6]


def test_a_cut_below_a_running_server_stays_to_be_seen(path: Path) -> None:
    """Its next lines are chained to those that are gone."""
    with opened(path) as log:
        write(log, 5)
        os.truncate(path, path.read_bytes().index(b"\n") + 1)
        write(log, 2)
    assert found(path) == [("missing", 2)]
    assert sequences(path) == [1, 6, 7]


def test_lines_of_before_the_chain_are_known(path: Path) -> None:
    """They are counted, and the chain begins after the last of them."""
    path.write_text('{"action":"old"}\n' * 3)
    with opened(path) as log:
        write(log, 2)
    report = whole(path)
    assert (report.before, report.begins, report.first, report.lines) == (3, ("audit.log", 4), 1, 2)


def test_a_log_of_before_the_chain_may_have_been_rotated(path: Path) -> None:
    """Its last line is in the older file."""
    path.write_text("")
    path.with_name("audit.log.1").write_text('{"action":"old"}\n')
    with opened(path) as log:
        write(log, 1)
    assert whole(path).before == 1
    path.with_name("audit.log.1").write_text('{"action":"new"}\n')
    assert found(path) == [("changed", 1)]


def test_a_line_longer_than_what_is_read_at_once(path: Path) -> None:
    """The end of the chain is found before it."""
    with opened(path) as log:
        write(log, 1, "x" * 200_000)
    by_command(path)
    assert whole(path).lines == 2


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No file of this process grows beyond that: like a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with capture_logs():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_takes_half_a_line_has_none_of_it(path: Path) -> None:
    """What waits is written whole when there is room."""
    with opened(path) as log:
        write(log, 4)
        with files_of_at_most(path.stat().st_size + 300):
            write(log, 5)
            assert path.read_bytes().endswith(b"\n")
            assert "lines wait" in log.problems()[0]
        write(log, 1)
    assert whole(path).lines == 10


def test_lines_wait_for_a_lock_of_another_process(path: Path) -> None:
    """The server does not stand still; the lines come later, in order."""
    with opened(path) as log, path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        write(log, 3)
        assert path.read_bytes() == b""
        fcntl.flock(other, fcntl.LOCK_UN)
        log.notice()
        assert whole(path).lines == 3


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS])
def test_a_file_system_without_locks_takes_lines(path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Whatever is asked of its locks; and the log is rotated when it is large, no sooner."""

    def without(_descriptor: int, _operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", without)
    with opened(path, rotate_bytes=4096) as log:
        write(log, 30, "x" * 100)
        assert log.problems() == []
    by_command(path)
    report = whole(path)
    assert (report.lines, 1 < len(report.files) < 4) == (31, True)


def test_a_renamed_log_is_left(path: Path) -> None:
    """Somebody else rotates: the chain goes on in the file that bears the name."""
    with opened(path) as log:
        write(log, 2)
        path.rename(path.with_name("audit.log.1"))
        log.notice()
        write(log, 2)
        by_command(path)
    assert whole(path).files == ["audit.log.1", "audit.log"]


def test_a_head_that_cannot_be_written_stops_nothing(path: Path) -> None:
    """The lines are there; the check says what it cannot tell."""
    head_of(path).mkdir()
    with opened(path) as log:
        write(log, 2)
    head_of(path).rmdir()
    assert [kind for kind, _ in found(path)] == ["head"]


def test_lines_that_were_lost_are_counted_in_the_log(path: Path) -> None:
    """At most 16 MiB wait; the oldest go."""
    with opened(path) as log:
        with files_of_at_most(0):
            write(log, 18, "x" * 1_000_000)
            assert os.strerror(errno.EFBIG) in log.problems()[0]
            assert [sample.value for metric in log.collect() for sample in metric.samples] == [9, 9]
        write(log, 1)
    last = json.loads(path.read_text().splitlines()[-1])
    assert (last["action"], last["detail"]) == ("audit.lost", f"lines={20 - whole(path).lines}")
