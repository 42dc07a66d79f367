"""Structured logs on standard error: console text or one JSON object a line, with the request id."""

import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, TextIO, cast

import structlog

from registry.config.settings import LogSettings
from registry.telemetry.line_writer import LineWriter, second_in_words
from registry.telemetry.request_record import RequestRecord


class _StandardError:
    """Writes to the present `sys.stderr`, which may be replaced after the set-up.

    A line that cannot be written is lost, and nothing else: a full disk or a pipe that nobody reads any more must not
    fail what is logged.
    """

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            return sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


Stream = TextIO | _StandardError


class _Named(structlog.PrintLogger):
    """Writes lines, each with the name of its module as `logger`.

    Args:
        file: where to.
        name: the module that logs.
    """

    def __init__(self, file: TextIO, name: str = "") -> None:
        super().__init__(file)
        self.name = name


ACCESS = "registry.access"
"""The logger name in lines of requests."""
_AWKWARD = re.compile(r"[^!#-&(-<>-~]")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Configure structlog and the standard library's logging; called again when the settings change."""
    out = stream or _StandardError()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, _renderer(settings, out)],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.level]),
        logger_factory=partial(_Named, cast("TextIO", out)),
        cache_logger_on_first_use=False,
    )
    _configure_standard(settings, out, shared)


def _configure_standard(settings: LogSettings, out: Stream, shared: list[Any]) -> None:
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _renderer(settings, out),
            ],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries log warnings and errors only; the registry itself logs through structlog.
    root.setLevel(max(_LEVELS[settings.level], logging.WARNING))


def _renderer(settings: LogSettings, out: Stream) -> Any:
    if settings.format == "json":
        return structlog.processors.JSONRenderer()
    colours = out.isatty() and not os.environ.get("NO_COLOR")  # https://no-color.org
    return structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)


class AccessLog:
    """Writes one line for each finished request, in the same form as structlog.

    Rendered here, because these lines are by far the most frequent and structlog takes longer than a small response.

    Args:
        settings: section `log`, read for every line.
    """

    def __init__(self, settings: Callable[[], LogSettings]) -> None:
        self._settings = settings
        self._lines = LineWriter(_write)

    def observe(self, record: RequestRecord) -> None:
        """Write the line, unless the settings leave it out."""
        settings = self._settings()
        if not settings.access or _LEVELS[settings.level] > logging.INFO:
            return
        if settings.format == "json":
            self._lines.add(_json_line(record, _now()))
        else:
            self._lines.add(_console_line(record, _now()))


def _now() -> str:
    """The time of day to the microsecond."""
    second, rest = divmod(time.time_ns(), 1_000_000_000)
    return f"{second_in_words(second)}.{rest // 1000:06}Z"


def _write(text: str) -> None:
    # To the stream of structlog.
    structlog.get_config()["logger_factory"]().info(text.removesuffix("\n"))


def _console_line(record: RequestRecord, now: str) -> str:
    """`key=value` pairs; values that could be read as several pairs or lines are quoted."""
    caller, asked = _quoted(
        record.client, record.method, record.path, record.principal.name if record.principal else ""
    )
    code = "" if record.error is None else f" code={record.error.code}"
    return (
        f"{now} [info     ] request                        [{ACCESS}] {caller} "
        f"milliseconds={round(record.seconds * 1000, 1)} {asked} "
        f"received={record.received} request_id={record.request_id} sent={record.sent} status={record.status}{code}"
    )


@lru_cache(maxsize=256)
def _quoted(client: str, method: str, path: str, principal: str) -> tuple[str, str]:
    """The pairs of a request before and behind its time; cached, as most requests are repeated."""
    texts = [repr(text) if _AWKWARD.search(text) else text for text in (client, method, path, principal)]
    return f"client={texts[0]} method={texts[1]}", f"path={texts[2]} principal={texts[3]}"


def _json_line(record: RequestRecord, now: str) -> str:
    """The line as JSON, formatted by hand in a third of the time of `json.dumps`."""
    code = "" if record.error is None else f', "code": {_escaped(record.error.code)}'
    return (
        f'{{"client": {_escaped(record.client)}, "method": {_escaped(record.method)}, '
        f'"milliseconds": {round(record.seconds * 1000, 1)}, "path": {_escaped(record.path)}, '
        f'"principal": {_escaped(record.principal.name if record.principal else "")}, '
        f'"received": {record.received}, "request_id": {_escaped(record.request_id)}, '
        f'"sent": {record.sent}, "status": {record.status}{code}, '
        f'"event": "request", "logger": "{ACCESS}", "level": "info", "timestamp": "{now}"}}'
    )


_escaped = json.encoder.encode_basestring_ascii
