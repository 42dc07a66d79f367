"""Everything about one image for a terminal: verdict, findings, facts, evidence."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from policy.client.text import in_words
from policy.gateway.check_result import CheckResult
from registry.errors import visible

STATE_STYLES: Mapping[str, str] = {"found": "green", "shadowed": "yellow", "absent": "dim"}
RESULT_STYLES: Mapping[str, str] = {"pass": "green", "warn": "yellow", "fail": "bold red", "error": "bold red"}


def show(console: Console, document: Mapping[str, Any]) -> None:
    """Print the decision in words, then tables that wrap to the console's width.

    Args:
        console: where to.
        document: the response of `GET …/verdict`: a check result with `image` (all facts) and `children`.
    """
    answer = CheckResult.from_document(document)
    console.print(Text(in_words(answer), style="green" if answer.allowed else "red"), soft_wrap=True)
    for table in _tables(document):
        if table.row_count:
            console.print()
            console.print(table)


def _tables(document: Mapping[str, Any]) -> Iterator[Table]:
    image = document.get("image") or {}
    yield _children(document.get("children") or ())
    yield _findings(document["findings"])
    yield _facts(image.get("facts") or ())
    yield _evidence(image)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _children(children: Iterable[Mapping[str, Any]]) -> Table:
    table = _table("Images of this index", "platform", "verdict", "digest")
    for child in children:
        why = child.get("why") or ""
        table.add_row(_plain(child["platform"]), _plain(child["verdict"] or why), _plain(child["digest"]))
    return table


def _findings(findings: Iterable[Mapping[str, Any]]) -> Table:
    table = _table("Findings", "rule", "result", "message")
    for finding in findings:
        result = str(finding["result"])
        table.add_row(_plain(finding["rule"]), Text(result, RESULT_STYLES.get(result, "")), _plain(finding["message"]))
    return table


def _facts(facts: Iterable[Mapping[str, Any]]) -> Table:
    table = _table("Facts", "subject", "value", "judged", "note")
    for fact in facts:
        value = "  ".join(f"{name} {text}" for name, text in fact["value"].items())
        judged = "yes" if fact["judged"] else "reported only"
        table.add_row(_plain(fact["subject"]), _plain(value), judged, _plain(fact["note"]))
    return table


def _evidence(image: Mapping[str, Any]) -> Table:
    table = _table("Evidence", "layer", "path", "value", "state")
    for subject, place in _places(image):
        layer = f"{place['index']}  {place['layer'][:19]}" if place["index"] >= 0 else f"({subject})"
        state = str(place["state"])
        hidden = f" by layer {place['shadowed_by']}" if place.get("shadowed_by", -1) >= 0 else ""
        table.add_row(
            _plain(layer),
            _plain(place["path"]),
            _plain(place["value"]),
            Text(state + hidden, STATE_STYLES.get(state, "")),
        )
    return table


def _places(image: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for fact in image.get("facts") or ():
        for place in fact["evidence"]:
            yield fact["subject"], place
    for subject, places in (image.get("absent") or {}).items():
        for place in places:
            yield subject, place


def _plain(value: Any) -> Text:
    """Untrusted text without control characters; markup in it has no effect."""
    return Text(visible(value))
