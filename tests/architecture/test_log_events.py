"""One style of log events: a short lower-case sentence that never varies, from a logger named after its module."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import Module, modules

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
SENTENCE = re.compile(r"[a-z][a-z0-9 ,:.'-]{2,89}(?<![.,:])")
"""What varies stands in the event's values, so that all lines of one event are found by its text."""


def calls() -> Iterator[tuple[Module, ast.Call]]:
    """Every call of the source."""
    for module in modules("registry", "policy"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                yield module, node


def place(module: Module, node: ast.AST) -> str:
    """Where it stands."""
    return f"{module.path}:{getattr(node, 'lineno', 0)} {ast.unparse(node)}"


def is_log(node: ast.expr) -> bool:
    """Whether an expression is a logger: `self._log`, `_log()`, `structlog.get_logger(…)`."""
    name = ast.unparse(node.func if isinstance(node, ast.Call) else node)
    return name.rpartition(".")[2].lstrip("_") in {"log", "logger", "get_logger"}


def events() -> list[tuple[str, ast.Call]]:
    """Every line that is logged."""
    return [
        (place(module, call), call)
        for module, call in calls()
        if isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS and is_log(call.func.value)
    ]


def texts(event: ast.expr) -> list[str]:
    """The sentences that an expression may be: a constant, or one of two; else one that is none."""
    if isinstance(event, ast.IfExp):
        return [*texts(event.body), *texts(event.orelse)]
    return [event.value] if isinstance(event, ast.Constant) and isinstance(event.value, str) else [""]


def test_an_event_is_a_short_sentence_that_never_varies() -> None:
    """A constant in lower case without a full stop; values are keywords."""
    assert len(events()) > 25
    assert [
        where
        for where, call in events()
        if len(call.args) != 1 or not all(SENTENCE.fullmatch(text) for text in texts(call.args[0]))
    ] == []


def test_a_logger_is_named_after_its_module() -> None:
    """`__name__`, as everywhere in Python; the root of the standard library's loggers is only set up."""
    found = [
        place(module, call)
        for module, call in calls()
        if ast.unparse(call.func).rpartition(".")[2] in {"get_logger", "getLogger"}
    ]
    assert len(found) > 20
    others = [where for where in found if not where.endswith("structlog.get_logger(__name__)")]
    assert [where.partition(" ")[2] for where in others] == ["logging.getLogger()"]
