"""The audit log: one JSON line for each request on content or credentials, and for each command.

A line is `{"time", "request", "principal", "name", "address", "action", "method", "repository", "reference", "digest",
"decision", "status", "result", "reason"}`; `decision` is the result of a check. Lines of commands, which other
processes append (`registry.cli.command_audit`), have `detail` as well. It contains no secrets: it is written from
parsed values, not from headers or bodies.
"""

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from registry.auth.sign_in import SecretWrong
from registry.auth.throttle import Throttled
from registry.config.access import AuditSettings
from registry.telemetry.line_writer import LineWriter, second_in_words
from registry.telemetry.operator_name import operator_name
from registry.telemetry.request_record import RequestRecord, new_request_id

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_TEXT_MAXIMUM = 512
_WAITING_MAXIMUM = 16 << 20
"""The most bytes of lines that wait in memory while they cannot be written."""
_NOT_RECORDED = ("health.", "root.")
COMMAND = "COMMAND"
"""The `method` of lines of commands."""
_NOTICE_SECONDS = 1.0
_FOREIGN_MAXIMUM = 1 << 20
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class AuditLog:
    """An observer of requests that appends to a file, which is rotated by size.

    Args:
        path: of the file; its folder is created.
        settings: section `audit`, read for every line.
        clock: seconds since the epoch.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(
        self, path: Path, settings: Callable[[], AuditSettings], clock: Callable[[], float] = time.time
    ) -> None:
        self._path = path
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting = bytearray()
        self._reason = ""
        self._lost = 0
        self._foreign = bytearray()
        self._lines = LineWriter(self._append)
        self._open()

    def observe(self, record: RequestRecord) -> None:
        """Record a finished request, except health checks and, by setting, successful reads."""
        if _is_recorded(record, reads=self._settings().reads):
            self._lines.add(_as_json(line_of(record, self._clock())))

    def _append(self, text: str) -> None:
        """Append lines in one write, so that lines never mix; lines that a full disk refuses wait."""
        with self._lock:
            self._waiting += text.encode()
            self._write()
            if self._size >= self._settings().rotate_bytes and not self._waiting:
                self._rotate()

    def _write(self) -> None:
        try:
            while self._waiting:
                written = os.write(self._descriptor, self._waiting)
                del self._waiting[:written]
                end = os.lseek(self._descriptor, 0, os.SEEK_CUR)
                self._take_foreign(end - written)
                self._size = end
        except OSError as error:
            if not self._reason:
                _log().error("the audit log cannot be written: its lines wait in memory", reason=error.strerror)
            self._reason = error.strerror or str(error)
            self._forget_surplus()
        else:
            self._reason = ""

    def _forget_surplus(self) -> None:
        """Drop the oldest waiting lines beyond the limit, and count them."""
        if len(self._waiting) > _WAITING_MAXIMUM:
            # The first line may be partly written, so it stays.
            first = self._waiting.find(b"\n") + 1
            end = self._waiting.find(b"\n", len(self._waiting) - _WAITING_MAXIMUM // 2) + 1
            self._lost += self._waiting.count(b"\n", first, end)
            del self._waiting[first:end]

    def _take_foreign(self, upto: int) -> None:
        """Read the lines of commands: the bytes before `upto` and behind the last own line."""
        if upto > self._size:
            begin = max(self._size, upto - _FOREIGN_MAXIMUM)
            self._foreign += os.pread(self._descriptor, upto - begin, begin)
        self._size = upto

    async def run(self) -> None:
        """Log commands until cancelled."""
        while True:
            await asyncio.sleep(_NOTICE_SECONDS)
            with suppress(OSError):  # the disk fails: try again in the next round
                self.notice()

    def notice(self) -> None:
        """Log the commands recorded since the last call."""
        with self._lock:
            self._take_foreign(os.fstat(self._descriptor).st_size)
            whole, self._foreign = self._foreign, bytearray()
            if not whole.endswith(b"\n"):
                end = whole.rfind(b"\n") + 1
                self._foreign, whole = whole[end:][:_FOREIGN_MAXIMUM], whole[:end]
        for line in whole.splitlines():
            _log_command(bytes(line))

    def record(self, line: Mapping[str, Any]) -> None:
        """Record an action of the server itself."""
        self._lines.add(_as_json(line))

    def problems(self) -> list[str]:
        """One sentence while lines cannot be written; tries to write them."""
        with self._lock:
            if self._waiting:
                self._write()
            if not self._reason and not self._lost:
                return []
            lines = self._waiting.count(b"\n")
            lost = f", {self._lost} were lost" if self._lost else ""
            return [f"the audit log cannot be written ({self._reason or 'before'}): {lines} lines wait{lost}"]

    def close(self) -> None:
        """Write the waiting lines and close the file."""
        self._lines.flush()
        with self._lock:
            if self._waiting:
                self._write()
            if self._waiting:
                _log().error("lines of the audit log are lost", lines=self._waiting.count(b"\n"), reason=self._reason)
            os.close(self._descriptor)

    def _open(self) -> None:
        self._descriptor = open_file(self._path)
        self._size = os.fstat(self._descriptor).st_size

    def _rotate(self) -> None:
        """Rotate the files; if that fails, the old descriptor stays in use."""
        keep = self._settings().keep_files
        full = self._descriptor
        self._take_foreign(os.fstat(full).st_size)
        for number in range(keep - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self._path.replace(self._numbered(1))
        self._open()
        os.close(full)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _log() -> Any:
    return structlog.get_logger(__name__)


def open_file(path: Path) -> int:
    """A descriptor that appends to an audit log; creates the folder and the file, for their owner only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, _FLAGS, 0o600)


def append_line(descriptor: int, line: Mapping[str, Any]) -> None:
    """Append a line in one write, so that lines of several processes never mix."""
    os.write(descriptor, f"{_as_json(line)}\n".encode())


def command_line_of(action: str, status: int, reason: str, details: Mapping[str, str]) -> dict[str, Any]:
    """The line of a command, now.

    Args:
        action: the command.
        status: its exit code.
        reason: why it failed, or "".
        details: `repository`, `reference`, `digest`, if any, and `detail`.
    """
    record = RequestRecord(new_request_id(), "", COMMAND, "", action)
    line = line_of(record, time.time()) | {"name": operator_name(), "status": status, "reason": _short(reason)}
    members = {name: _short(text) for name, text in details.items()}
    return line | {"result": "done" if status < _COULD_NOT else "failed", "detail": ""} | members


def _log_command(text: bytes) -> None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(line, dict) and line.get("method") == COMMAND:
        members = {name: line[name] for name in _LOGGED if line.get(name)}
        structlog.get_logger(__name__).info("done by command", by=line.get("name"), **members)


_LOGGED = ("action", "repository", "reference", "digest", "detail", "result", "reason")
_COULD_NOT = 2


def audit_log(data: Path, settings: Callable[[], AuditSettings]) -> AuditLog:
    """The audit log of a data folder; `audit.file` may be an absolute path elsewhere."""
    return AuditLog(data / settings().file, settings)


def line_of(record: RequestRecord, now: float) -> dict[str, Any]:
    """The line of a request at `now` (seconds since the epoch)."""
    principal, error = record.principal, record.error
    thousandths = int(now * 1000)
    tried = error.username if isinstance(error, SecretWrong | Throttled) else ""
    return {
        "time": f"{second_in_words(thousandths // 1000)}.{thousandths % 1000:03}Z",
        "request": record.request_id,
        "principal": principal.id if principal else "",
        "name": principal.name if principal else _short(tried),
        "address": record.client,
        "action": record.operation or f"{record.method} {_short(record.path)}",
        "method": record.method,
        "repository": record.repository or "",
        "reference": _short(record.reference),
        "digest": record.digest,
        "decision": record.decision,
        "status": record.status,
        "result": _result(record.status),
        "reason": _short(error.message) if error else "",
    }


def _as_json(line: Mapping[str, Any]) -> str:
    """The output of `json.dumps` without white space, in half the time: every change waits for it."""
    members = [f'"{name}":{value if isinstance(value, int) else _ESCAPED(value)}' for name, value in line.items()]
    return f"{{{','.join(members)}}}"


_ESCAPED = json.encoder.encode_basestring_ascii


def _is_recorded(record: RequestRecord, *, reads: bool) -> bool:
    succeeded = record.status < 400
    if succeeded and record.operation.startswith(_NOT_RECORDED):
        return False
    return reads or not succeeded or record.method not in _READS


def _result(status: int) -> str:
    if status in {401, 403, 429}:
        return "refused"
    if status in {0, 499}:
        return "broken off"
    return "done" if status < 400 else "failed"


def _short(text: str) -> str:
    return text if len(text) <= _TEXT_MAXIMUM else text[:_TEXT_MAXIMUM] + "…"
