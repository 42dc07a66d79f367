"""The audit log: one JSON line for each request on content or credentials, and for each command.

A line is `{"time", "request", "principal", "name", "address", "action", "method", "repository", "reference", "digest",
"decision", "status", "result", "reason"}`; `decision` is the result of a check. Lines of commands, which other
processes append (`registry.cli.command_audit`), have `detail` as well. It contains no secrets: it is written from
parsed values, not from headers or bodies. Each line in the file ends with `sequence` and `previous`, which chain it to
the line before (`registry.telemetry.audit_chain`).
"""

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from registry.auth.sign_in import SecretWrong
from registry.auth.throttle import Throttled
from registry.config.access import AuditSettings
from registry.telemetry.audit_file import AuditFile
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
_AT_ONCE = 64 << 10
_LINES_AT_ONCE = 500
_LAST_SECONDS = 1.0
_COMMAND_SECONDS = 10.0


class AuditLog(Collector):
    """An observer of requests that appends to a file, which is rotated by size; and its metrics.

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
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._reason = ""
        self._lost = 0
        self._lost_untold = 0
        self._foreign = bytearray()
        self._lines = LineWriter(self._append)
        self._file = AuditFile(path)
        self._size = self._file.size

    def observe(self, record: RequestRecord) -> None:
        """Record a finished request, except health checks and, by setting, successful reads."""
        if _is_recorded(record, reads=self._settings().reads):
            self._lines.add(line_text(record, self._clock()))

    def _append(self, text: str) -> None:
        """Append lines in one write, so that lines never mix; lines that cannot be written wait."""
        with self._lock:
            self._wait(text.encode().splitlines())
            self._write()

    def _wait(self, lines: Sequence[bytes]) -> None:
        self._waiting.extend(lines)
        self._waiting_bytes += sum(map(len, lines))

    def _write(self, seconds: float = 0.0) -> None:
        """Write the waiting lines, unless another process writes just now: then they wait for the next line."""
        try:
            with self._file.held(seconds) as mine:
                while mine and self._waiting:
                    self._write_some()
                    self._tell_lost()
                if mine and self._size >= self._settings().rotate_bytes:
                    self._file.rotate(self._settings().keep_files)
                    self._size = 0
        except OSError as error:
            if not self._reason:
                _log().error("the audit log cannot be written: its lines wait in memory", reason=error.strerror)
            self._reason = error.strerror or str(error)
            self._forget_surplus()
        else:
            self._reason = ""

    def _write_some(self) -> None:
        """Write waiting lines, 64 KiB of them at most: what a full disk refuses was hashed for nothing."""
        self._take_foreign(self._file.size)
        some, size = [], 0
        for line in self._waiting:
            some.append(line)
            size += len(line)
            if size >= _AT_ONCE:
                break
        for _ in range(self._file.append(some)):
            self._waiting_bytes -= len(self._waiting.popleft())
        self._size = self._file.size
        if self._file.lacking:
            _log().error("the audit log lacks its last lines: they were cut off, or lost", lines=self._file.lacking)
            self._file.lacking = 0

    def _forget_surplus(self) -> None:
        """Drop the oldest waiting lines beyond the limit, and count them."""
        if self._waiting_bytes > _WAITING_MAXIMUM:
            while self._waiting_bytes > _WAITING_MAXIMUM // 2:
                self._waiting_bytes -= len(self._waiting.popleft())
                self._lost += 1
                self._lost_untold += 1

    def _tell_lost(self) -> None:
        """Have the log say itself that lines are not in it."""
        if self._lost_untold:
            detail = {"detail": f"lines={self._lost_untold}"}
            line = command_line_of("audit.lost", _COULD_NOT, "there was no room for lines that waited", detail)
            self._wait([_as_json(line).encode()])
            self._lost_untold = 0

    def _take_foreign(self, upto: int) -> None:
        """Read the lines of commands: the bytes before `upto` and behind the last own line."""
        if upto > self._size:
            self._foreign += self._file.read(max(self._size, upto - _FOREIGN_MAXIMUM), upto)
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
            if self._waiting:
                self._write()
            self._take_foreign(self._file.size)
            if self._file.follow():
                self._size = 0
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
            lines = len(self._waiting)
            lost = f", {self._lost} were lost" if self._lost else ""
            return [f"the audit log cannot be written ({self._reason or 'before'}): {lines} lines wait{lost}"]

    def collect(self) -> Iterator[Metric]:
        """The metrics on lines that are not in the file."""
        waiting = GaugeMetricFamily("basegate_audit_lines_waiting", "Lines of the audit log that wait in memory.")
        waiting.add_metric([], len(self._waiting))
        lost = CounterMetricFamily("basegate_audit_lines_lost", "Lines of the audit log for which there was no room.")
        lost.add_metric([], self._lost)
        yield from (waiting, lost)

    def close(self) -> None:
        """Write the waiting lines and close the file."""
        self._lines.flush()
        with self._lock:
            if self._waiting:
                self._write(_LAST_SECONDS)
            if self._waiting:
                _log().error("lines of the audit log are lost", lines=len(self._waiting), reason=self._reason)
            self._file.close()


def _log() -> Any:
    return structlog.get_logger(__name__)


def append_lines(file: AuditFile, lines: Sequence[Mapping[str, Any]]) -> bool:
    """Append lines of a command and let go of the file; `False`: others have held it for ten seconds.

    Raises:
        OSError: the file does not take all of them.
    """
    waiting = [_as_json(line).encode() for line in lines]
    try:
        with file.held_by_name(_COMMAND_SECONDS) as mine:
            while mine and waiting:
                del waiting[: file.append(waiting[:_LINES_AT_ONCE])]
            return mine
    finally:
        file.close()


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
    tried = error.username if isinstance(error, SecretWrong | Throttled) else ""
    return {
        "time": _in_words(now),
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


def line_text(record: RequestRecord, now: float) -> str:
    """The line of a request as JSON; that of a usual one is formatted by hand, in half the time."""
    principal = record.principal
    if principal is None or record.error is not None or not record.operation:
        return _as_json(line_of(record, now))
    return (
        f'{{"time":"{_in_words(now)}","request":{_ESCAPED(record.request_id)},"principal":{_ESCAPED(principal.id)},'
        f'"name":{_ESCAPED(principal.name)},"address":{_ESCAPED(record.client)},"action":{_ESCAPED(record.operation)},'
        f'"method":{_ESCAPED(record.method)},"repository":{_ESCAPED(record.repository or "")},'
        f'"reference":{_ESCAPED(_short(record.reference))},"digest":{_ESCAPED(record.digest)},'
        f'"decision":{_ESCAPED(record.decision)},"status":{record.status},"result":"{_result(record.status)}","reason":""}}'
    )


def _in_words(now: float) -> str:
    thousandths = int(now * 1000)
    return f"{second_in_words(thousandths // 1000)}.{thousandths % 1000:03}Z"


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
