"""Structured logs: one JSON object a line, with the request id, and nothing secret."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from registry.config.settings import LogSettings
from registry.oci.errors import Denied
from registry.telemetry.logs import AccessLog, configure
from registry.telemetry.request_record import RequestRecord


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Where the log goes; the usual set-up comes back afterwards."""
    yield io.StringIO()
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()


def _lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def _fail(secret: str) -> None:
    raise ValueError(len(secret))


def test_json_lines(out: io.StringIO) -> None:
    """Level, time and whatever the event has."""
    configure(LogSettings(format="json"), out)
    structlog.get_logger().info("something", number=1)
    (line,) = _lines(out)
    assert (line["event"], line["level"], line["number"]) == ("something", "info", 1)
    assert line["timestamp"].endswith("Z")


class Terminal(io.StringIO):
    """Text that says that it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
@pytest.mark.usefixtures("out")
def test_colours_on_a_terminal(monkeypatch: pytest.MonkeyPatch, no_color: str, *, coloured: bool) -> None:
    """Unless NO_COLOR is set and not empty."""
    monkeypatch.setenv("NO_COLOR", no_color)
    terminal = Terminal()
    configure(LogSettings(format="console"), terminal)
    structlog.get_logger().warning("something")
    assert ("\x1b[" in terminal.getvalue()) is coloured


def test_less_important_messages_are_left_out(out: io.StringIO) -> None:
    """The level is a setting."""
    configure(LogSettings(format="json", level="warning"), out)
    structlog.get_logger().info("small talk")
    assert out.getvalue() == ""


def test_request_id_is_on_every_line(out: io.StringIO) -> None:
    """Whatever is bound for a request travels along."""
    configure(LogSettings(format="json"), out)
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        structlog.get_logger().warning("inside")
    assert _lines(out)[0]["request_id"] == "abc"


def test_libraries_log_alike(out: io.StringIO) -> None:
    """What comes through the standard library has the same form."""
    configure(LogSettings(format="json"), out)
    logging.getLogger("some.library").error("went wrong: %s", "badly")
    assert _lines(out)[0]["event"] == "went wrong: badly"


@pytest.mark.parametrize("form", ["json", "console"])
def test_faults_show_their_trace_but_no_variables(out: io.StringIO, form: str) -> None:
    """Local variables may hold secrets."""
    configure(LogSettings.model_validate({"format": form}), out)
    try:
        _fail("hunter" + "2")
    except ValueError:
        structlog.get_logger().exception("a fault")
    assert "ValueError" in out.getvalue()
    assert "hunter2" not in out.getvalue()


def test_access_line(out: io.StringIO) -> None:
    """What was asked, by whom, and what became of it."""
    configure(LogSettings(format="json"), out)
    access_log = AccessLog(lambda: LogSettings(format="json"))
    access_log.observe(RequestRecord("id", "192.0.2.1", "GET", "/v2/", status=403, sent=5, error=Denied("no")))
    (line,) = _lines(out)
    assert (line["method"], line["path"], line["status"], line["code"]) == ("GET", "/v2/", 403, "DENIED")
    assert (line["client"], line["sent"]) == ("192.0.2.1", 5)


def test_a_path_never_makes_a_second_access_line(out: io.StringIO) -> None:
    """What a client puts into a path is quoted where it could be read as something else."""
    configure(LogSettings(), out)
    AccessLog(LogSettings).observe(RequestRecord("id", "192.0.2.1", "GET", "/a\nb c=d\x1b[0m", status=404))
    assert out.getvalue().count("\n") == 1
    assert r"path='/a\nb c=d\x1b[0m' principal= " in out.getvalue()


def test_access_lines_are_left_out_where_their_level_is(out: io.StringIO) -> None:
    """They are information."""
    configure(LogSettings(level="warning"), out)
    AccessLog(lambda: LogSettings(level="warning")).observe(RequestRecord("id", "192.0.2.1", "GET", "/v2/"))
    assert out.getvalue() == ""


@pytest.mark.parametrize("form", ["json", "console"])
def test_every_line_names_its_logger(out: io.StringIO, form: str) -> None:
    """The registry's own lines, those of libraries, and those of requests."""
    settings = LogSettings.model_validate({"format": form})
    configure(settings, out)
    structlog.get_logger("registry.content.gc").warning("collected")
    logging.getLogger("some.library").error("went wrong")
    AccessLog(lambda: settings).observe(RequestRecord("id", "192.0.2.1", "GET", "/v2/"))
    wanted = ("registry.content.gc", "some.library", "registry.access")
    shown = [f'"logger": "{name}"' if form == "json" else f"[{name}]" for name in wanted]
    assert [text in line for text, line in zip(shown, out.getvalue().splitlines(), strict=True)] == [True] * 3
