"""The audit log: one JSON line for each request that touches content or credentials, and for each act by command.

A line is `{"time", "request", "principal", "name", "address", "action", "method", "repository", "reference", "digest",
"decision", "status", "result", "reason"}`; `decision` is what a check was answered. Acts by command, which other
processes append (`registry.cli.command_audit`), have `detail` as well. Secrets never reach it: it is written from
what the registry parsed, not from headers or bodies.
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
_HELD = 16 << 20
"""Bytes of lines that are held while they cannot be written."""
_UNTOLD = ("health.", "root.")
COMMAND = "COMMAND"
"""The method of what was done by command."""
_NOTICE_SECONDS = 1.0
_FOREIGN_MAXIMUM = 1 << 20
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class AuditLog:
    """An observer of exchanges that appends to a file; rotated by size.

    Args:
        path: the file; its folder is made.
        settings: section `audit`, read anew for every line.
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

    def observe(self, exchange: RequestRecord) -> None:
        """Record a finished request, unless it is of no interest (health checks; successful reads where so set)."""
        if _is_told(exchange, reads=self._settings().reads):
            self._lines.add(_as_json(line_of(exchange, self._clock())))

    def _append(self, text: str) -> None:
        """The lines of one moment in one write, so that lines never mix; what a full disk refuses waits its turn."""
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
        """More than so many bytes are not held; how many lines were given up is said in their place."""
        if len(self._waiting) > _HELD:
            # The first line may have been written in part: it is not cut.
            first = self._waiting.find(b"\n") + 1
            end = self._waiting.find(b"\n", len(self._waiting) - _HELD // 2) + 1
            self._lost += self._waiting.count(b"\n", first, end)
            del self._waiting[first:end]

    def _take_foreign(self, upto: int) -> None:
        """What stands before `upto` and behind our last line was written by commands."""
        if upto > self._size:
            begin = max(self._size, upto - _FOREIGN_MAXIMUM)
            self._foreign += os.pread(self._descriptor, upto - begin, begin)
        self._size = upto

    async def run(self) -> None:
        """Log what is done by command; ends when cancelled."""
        while True:
            await asyncio.sleep(_NOTICE_SECONDS)
            with suppress(OSError):  # the disk does not answer: another round may find more
                self.notice()

    def notice(self) -> None:
        """Log the acts by command that were recorded since."""
        with self._lock:
            self._take_foreign(os.fstat(self._descriptor).st_size)
            whole, self._foreign = self._foreign, bytearray()
            if not whole.endswith(b"\n"):
                end = whole.rfind(b"\n") + 1
                self._foreign, whole = whole[end:][:_FOREIGN_MAXIMUM], whole[:end]
        for line in whole.splitlines():
            _log_command(bytes(line))

    def record(self, line: Mapping[str, Any]) -> None:
        """Record what the server does by itself."""
        self._lines.add(_as_json(line))

    def problems(self) -> list[str]:
        """One sentence while lines cannot be written; tries again."""
        with self._lock:
            if self._waiting:
                self._write()
            if not self._reason and not self._lost:
                return []
            lines = self._waiting.count(b"\n")
            lost = f", {self._lost} were lost" if self._lost else ""
            return [f"the audit log cannot be written ({self._reason or 'before'}): {lines} lines wait{lost}"]

    def close(self) -> None:
        """Write what is left and let the file go."""
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
        """Move the files on. Should that fail, the old descriptor is still there and takes the next lines."""
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
    """A descriptor that appends to an audit log; its folder and the file are made, their owner's alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, _FLAGS, 0o600)


def append_line(descriptor: int, line: Mapping[str, Any]) -> None:
    """Append a line in one write, so that lines of several processes never mix."""
    os.write(descriptor, f"{_as_json(line)}\n".encode())


def command_line_of(action: str, status: int, reason: str, more: Mapping[str, str]) -> dict[str, Any]:
    """The line of an act by command, now.

    Args:
        action: the command.
        status: its exit code.
        reason: why it failed, or "".
        more: `repository`, `reference`, `digest` where there is one, and `detail`.
    """
    exchange = RequestRecord(new_request_id(), "", COMMAND, "", action)
    line = line_of(exchange, time.time()) | {"name": operator_name(), "status": status, "reason": _short(reason)}
    told = {name: _short(text) for name, text in more.items()}
    return line | {"result": "done" if status < _COULD_NOT else "failed", "detail": ""} | told


def _log_command(text: bytes) -> None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(line, dict) and line.get("method") == COMMAND:
        said = {name: line[name] for name in _LOGGED if line.get(name)}
        structlog.get_logger(__name__).info("done by command", by=line.get("name"), **said)


_LOGGED = ("action", "repository", "reference", "digest", "detail", "result", "reason")
_COULD_NOT = 2


def audit_log(data: Path, settings: Callable[[], AuditSettings]) -> AuditLog:
    """The audit log of a data folder; an absolute `audit.file` may lie elsewhere."""
    return AuditLog(data / settings().file, settings)


def line_of(exchange: RequestRecord, now: float) -> dict[str, Any]:
    """The line of an exchange at `now` (seconds since the epoch)."""
    principal, error = exchange.principal, exchange.error
    thousandths = int(now * 1000)
    tried = error.username if isinstance(error, SecretWrong | Throttled) else ""
    return {
        "time": f"{second_in_words(thousandths // 1000)}.{thousandths % 1000:03}Z",
        "request": exchange.request_id,
        "principal": principal.id if principal else "",
        "name": principal.name if principal else _short(tried),
        "address": exchange.client,
        "action": exchange.operation or f"{exchange.method} {_short(exchange.path)}",
        "method": exchange.method,
        "repository": exchange.repository or "",
        "reference": _short(exchange.reference),
        "digest": exchange.digest,
        "decision": exchange.decision,
        "status": exchange.status,
        "result": _result(exchange.status),
        "reason": _short(error.message) if error else "",
    }


def _as_json(line: Mapping[str, Any]) -> str:
    """As `json.dumps` without white space writes it, in half the time: every request that changes something waits."""
    members = [f'"{name}":{value if isinstance(value, int) else _ESCAPED(value)}' for name, value in line.items()]
    return f"{{{','.join(members)}}}"


_ESCAPED = json.encoder.encode_basestring_ascii


def _is_told(exchange: RequestRecord, *, reads: bool) -> bool:
    succeeded = exchange.status < 400
    if succeeded and exchange.operation.startswith(_UNTOLD):
        return False
    return reads or not succeeded or exchange.method not in _READS


def _result(status: int) -> str:
    if status in {401, 403, 429}:
        return "refused"
    if status in {0, 499}:
        return "broken off"
    return "done" if status < 400 else "failed"


def _short(text: str) -> str:
    return text if len(text) <= _TEXT_MAXIMUM else text[:_TEXT_MAXIMUM] + "…"
