"""Structured logs on standard error: for people (console) or one JSON object a line, with the request id in each."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

from registry.exchange import Exchange
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
    """One line for each finished request."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("registry.access")

    def observe(self, exchange: Exchange) -> None:
        """Write the line."""
        line: MutableMapping[str, Any] = {
            "method": exchange.method,
            "path": exchange.path,
            "status": exchange.status,
            "client": exchange.client,
            "principal": exchange.principal.name if exchange.principal else "",
            "milliseconds": round(exchange.seconds * 1000, 1),
            "received": exchange.received,
            "sent": exchange.sent,
        }
        if exchange.error is not None:
            line["code"] = exchange.error.code
        self._log.info("request", **line)
