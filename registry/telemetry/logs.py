"""Structured logs on standard error: for people (console) or one JSON object a line, with the request id in each."""

import json
import logging
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TextIO, cast

import structlog

from registry.config.settings import LogSettings
from registry.telemetry.line_writer import LineWriter, second_in_words
from registry.telemetry.request_record import RequestRecord


class _StandardError:
    """Whatever `sys.stderr` is when something is written: it may be exchanged after the set-up."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


Stream = TextIO | _StandardError


class _Named(structlog.PrintLogger):
    """Writes lines, and knows who asked for it: the name goes into each line as `logger`.

    Args:
        file: where to.
        name: the module that logs.
    """

    def __init__(self, file: TextIO, name: str = "") -> None:
        super().__init__(file)
        self.name = name


ACCESS = "registry.access"
"""The logger of the lines of requests, which are of no single module."""
_AWKWARD = re.compile(r"[^!#-&(-<>-~]")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Set up structlog and the standard library's logging alike; called again when the settings change."""
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

    def observe(self, exchange: RequestRecord) -> None:
        """Write the line, unless lines of its importance are left out."""
        settings = self._settings()
        if not settings.access or _LEVELS[settings.level] > logging.INFO:
            return
        if settings.format == "json":
            self._lines.add(_json_line(exchange, _now()))
        else:
            self._lines.add(_console_line(exchange, _now()))


def _now() -> str:
    """The time of day to the microsecond."""
    second, rest = divmod(time.time_ns(), 1_000_000_000)
    return f"{second_in_words(second)}.{rest // 1000:06}Z"


def _write(text: str) -> None:
    # To wherever structlog writes its own lines.
    structlog.get_config()["logger_factory"]().info(text.removesuffix("\n"))


def _console_line(exchange: RequestRecord, now: str) -> str:
    """`key=value` in pairs; what could be read as more than one pair or line is quoted."""
    name = exchange.principal.name if exchange.principal else ""
    texts = [exchange.client, exchange.method, exchange.path, name, exchange.request_id]
    if _AWKWARD.search("".join(texts)):
        texts = [repr(text) if _AWKWARD.search(text) else text for text in texts]
    client, method, path, principal, request_id = texts
    code = "" if exchange.error is None else f" code={exchange.error.code}"
    return (
        f"{now} [info     ] request                        [{ACCESS}] client={client} method={method} "
        f"milliseconds={round(exchange.seconds * 1000, 1)} path={path} principal={principal} "
        f"received={exchange.received} request_id={request_id} sent={exchange.sent} status={exchange.status}{code}"
    )


def _json_line(exchange: RequestRecord, now: str) -> str:
    """The line as JSON, put together by hand: a third of what `json.dumps` of a dictionary takes."""
    code = "" if exchange.error is None else f', "code": {_escaped(exchange.error.code)}'
    return (
        f'{{"client": {_escaped(exchange.client)}, "method": {_escaped(exchange.method)}, '
        f'"milliseconds": {round(exchange.seconds * 1000, 1)}, "path": {_escaped(exchange.path)}, '
        f'"principal": {_escaped(exchange.principal.name if exchange.principal else "")}, '
        f'"received": {exchange.received}, "request_id": {_escaped(exchange.request_id)}, '
        f'"sent": {exchange.sent}, "status": {exchange.status}{code}, '
        f'"event": "request", "logger": "{ACCESS}", "level": "info", "timestamp": "{now}"}}'
    )


_escaped = json.encoder.encode_basestring_ascii
