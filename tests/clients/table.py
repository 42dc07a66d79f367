"""The table of docs/clients.md: which client did what, and what each printed when it was refused."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
HEADING = """# Clients

What was tried with each client against a live basegate, over plain HTTP and over TLS. This page is written by
`make clients-table` from a run of `tests/clients/`; a dash says that the client has no such command. What is said of a
cut line is what the client did in that run: whether it goes on by itself depends on what it was doing just then.
"""


@dataclass(frozen=True)
class Trial:
    """One test of one client that passed.

    Attributes:
        client: the client's name.
        operation: the table's row.
        transport: `HTTP` or `TLS`.
        note: more than "it works", for the cell.
        text: what the client printed, for the second part.
    """

    client: str
    operation: str
    transport: str
    note: str = ""
    text: str = ""


@dataclass
class Table:
    """Trials by client and operation, in the order in which they came."""

    clients: tuple[str, ...]
    operations: tuple[str, ...]
    versions: dict[str, str] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)

    def render(self) -> str:
        """The whole page."""
        return "\n".join([HEADING, *self._rows(), "", *self._texts()]).rstrip() + "\n"

    def _rows(self) -> Iterable[str]:
        yield "| | " + " | ".join(f"{name} {self.versions.get(name, '')}".strip() for name in self.clients) + " |"
        yield "| --- |" + " --- |" * len(self.clients)
        for operation in self.operations:
            cells = (self._cell(client, operation) for client in self.clients)
            yield f"| {operation} | " + " | ".join(cells) + " |"

    def _cell(self, client: str, operation: str) -> str:
        found = [trial for trial in self.trials if (trial.client, trial.operation) == (client, operation)]
        if not found:
            return "-"
        # Those of which the same is to be remarked stand together.
        notes: dict[str, set[str]] = defaultdict(set)
        for trial in sorted(found, key=lambda trial: trial.transport):
            notes[trial.note].add(trial.transport)
        return "; ".join(f"{', '.join(sorted(over))}{f': {note}' if note else ''}" for note, over in notes.items())

    def _texts(self) -> Iterable[str]:
        texts: dict[str, dict[str, str]] = defaultdict(dict)
        for trial in self.trials:
            if trial.text:
                texts[trial.operation].setdefault(trial.client, trial.text)
        for operation in self.operations:
            if operation not in texts:
                continue
            yield f"## {operation}: what is printed\n"
            for client in self.clients:
                if client in texts[operation]:
                    yield f"{client}:\n\n```\n{texts[operation][client]}\n```\n"


def texts_of(page: str, client: str, version: str) -> dict[str, str]:
    """What a page says a client prints, by operation; nothing when the page is of another version of it."""
    if f"| {client} {version} |" not in page:
        return {}
    sections = re.findall(r"^## ([^\n]+): what is printed\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    block = re.compile(rf"^{re.escape(client)}:\n\n```\n(.*?)\n```", re.MULTILINE | re.DOTALL)
    found = {operation: block.search(text) for operation, text in sections}
    return {operation: match[1] for operation, match in found.items() if match}
