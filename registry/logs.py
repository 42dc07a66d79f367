"""Structured logs on standard error: for people (console) or one JSON object a line, with the request id in each."""

import json
import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import structlog

from registry.exchange import Exchange
from registry.line_writer import LineWriter
from registry.settings import LogSettings


class _StandardError:
    """Whatever `sys.stderr` is when something is written: it may be exchanged after the set-up."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


Stream = TextIO | _StandardError

_AWKWARD = re.compile(r"[^!#-&(-<>-~]")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Set up structlog and the standard library's logging alike; called again when the settings change."""
    out = stream or _StandardError()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, _renderer(settings, out)],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.level]),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", out)),
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
    # Libraries speak up only when something is wrong; the registry's own words go through structlog.
    root.setLevel(max(_LEVELS[settings.level], logging.WARNING))


def _renderer(settings: LogSettings, out: Stream) -> Any:
    if settings.format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)


class AccessLog:
    """One line for each finished request, of the form of all others.

    Rendered here: these lines are by far the most frequent, and structlog's way takes longer than a small answer.

    Args:
        settings: section `log`, read anew for every line.
    """

    def __init__(self, settings: Callable[[], LogSettings]) -> None:
        self._settings = settings
        self._lines = LineWriter(_write)

    def observe(self, exchange: Exchange) -> None:
        """Write the line, unless lines of its importance are left out."""
        settings = self._settings()
        if not settings.access or _LEVELS[settings.level] > logging.INFO:
            return
        line = _line_of(exchange)
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        if settings.format == "json":
            text = json.dumps(line | {"event": "request", "level": "info", "timestamp": now})
        else:
            text = f"{now} [info     ] request                        {_words(line)}"
        self._lines.add(text)


def _write(text: str) -> None:
    # To wherever structlog writes its own lines.
    structlog.get_config()["logger_factory"]().info(text.removesuffix("\n"))


def _line_of(exchange: Exchange) -> dict[str, Any]:
    line: dict[str, Any] = {
        "client": exchange.client,
        "method": exchange.method,
        "milliseconds": round(exchange.seconds * 1000, 1),
        "path": exchange.path,
        "principal": exchange.principal.name if exchange.principal else "",
        "received": exchange.received,
        "request_id": exchange.request_id,
        "sent": exchange.sent,
        "status": exchange.status,
    }
    if exchange.error is not None:
        line["code"] = exchange.error.code
    return line


def _words(line: dict[str, Any]) -> str:
    """`key=value` in pairs; what could be read as more than one pair or line is quoted."""
    return " ".join([f"{key}={value if type(value) is int else _quoted(str(value))}" for key, value in line.items()])


def _quoted(text: str) -> str:
    return repr(text) if _AWKWARD.search(text) else text
